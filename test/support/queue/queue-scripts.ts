import type { Result } from '../../../src/domain/result.js';
import type { SweepReport } from '../../../src/retention/ports.js';
import {
  type AttemptHistory,
  type Delivery,
  EMPTY_HISTORY,
  type JobConsumer,
  type JobOutcome,
} from '../../../src/jobs/delivery.js';
import { createChanges } from '../changes.js';

/** A consumer that records its deliveries and returns the outcomes that the test gives. */
export interface ScriptedConsumer extends JobConsumer {
  readonly deliveries: Delivery[];
  /** Resolves when exactly this many jobs have been delivered. */
  readonly delivered: (count: number, options?: { readonly withinMs?: number }) => Promise<void>;
}

type Answer = (delivery: Delivery, signal: AbortSignal) => JobOutcome | Promise<JobOutcome>;

export const scripted = (answer: Answer = () => completed()): ScriptedConsumer => {
  const deliveries: Delivery[] = [];
  const delivered = createChanges();
  return {
    deliveries,
    delivered: (count, options) =>
      delivered.until(() => {
        if (deliveries.length !== count) throw new RangeError(`${deliveries.length} jobs were delivered, not ${count}`);
      }, options),
    consume: async (delivery, signal) => {
      deliveries.push(delivery);
      delivered.notify();
      return answer(delivery, signal);
    },
  };
};

const DAY = new Date('2026-01-01T00:00:00.000Z');

export const success = (gameId: string, errorCode: '' | 'replay_no_op' = ''): Result => ({
  outcome: 'success',
  errorCode,
  errorMessage: '',
  record: {
    gameId,
    status: 'removed',
    currentContainerId: null,
    currentImageRef: 'galaxy/game:1',
    engineEndpoint: '',
    statePath: '',
    dockerNetwork: '',
    startedAt: null,
    stoppedAt: DAY,
    removedAt: DAY,
    lastOpAt: DAY,
    createdAt: DAY,
    leaseEpoch: 7n,
    dockerHost: null,
  },
  removal: errorCode === '' ? 'removed' : '',
});

export const completed = (gameId = 'game-1'): JobOutcome => ({ action: 'complete', result: success(gameId) });

export const historyOf = (count: number, message = 'Docker does not answer'): AttemptHistory => ({
  counts: { service_unavailable: count },
  firstFailedAt: DAY.toISOString(),
  attempts: [{ attempt: count, code: 'service_unavailable', message, at: DAY.toISOString(), traceId: '' }],
  death: null,
  pastLives: [],
});

/** The outcome of a job that BullMQ abandoned. */
export const abandonedByQueue = async (_delivery: unknown, reason: string): Promise<JobOutcome> => ({
  action: 'dead_letter',
  reason: `internal_error: the queue gave the job up: ${reason}`,
  history: EMPTY_HISTORY,
});

export const retryAfter = (delayMs: number, history = EMPTY_HISTORY): JobOutcome => ({
  action: 'retry',
  delayMs,
  history,
});

export const deadLetter = (reason: string, history = EMPTY_HISTORY): JobOutcome => ({
  action: 'dead_letter',
  reason,
  history,
});

export { untilAborted } from '../calls.js';

function atLeast(wanted: number, actual: number, what: string): void {
  if (actual < wanted) throw new Error(`${actual} ${what} instead of ${wanted}`);
}

/** A sweep that found nothing to do. */
export const NOTHING_DUE: SweepReport = {
  status: 'done',
  asOf: DAY.toISOString(),
  finishedAt: DAY.toISOString(),
  stopped: 0,
  planned: 0,
  kept: { held: 0, dead_letter: 0, invalid_id: 0 },
  enqueued: 0,
  coalesced: 0,
  failed: 0,
};

type Sweep = (signal: AbortSignal) => Promise<SweepReport>;

export interface CountedSweeps {
  readonly sweep: Sweep;
  /** How many sweeps have begun. */
  readonly begun: () => number;
  /** Resolves once so many sweeps have begun. */
  readonly untilBegun: (count: number, options?: { readonly withinMs: number }) => Promise<void>;
}

/** Counts the sweeps; the one of this number does as `answer` says. */
export const countedSweeps = (
  answer: (nth: number, signal: AbortSignal) => Promise<SweepReport> = async () => NOTHING_DUE,
): CountedSweeps => {
  const changes = createChanges();
  let begun = 0;
  return {
    begun: () => begun,
    untilBegun: (count, options) => changes.until(() => atLeast(count, begun, 'sweeps'), options),
    sweep: (signal) => {
      begun += 1;
      changes.notify();
      return answer(begun, signal);
    },
  };
};
