/**
 * Writes what is to become of a job. The processor does it itself, before BullMQ would: BullMQ turns any error of that
 * write but a refused connection into a failed attempt, so that work well done ends as a failure. Here the write is
 * repeated until the store has taken it, which is safe because the store takes it from the job's present holder once.
 */
import { setMaxListeners } from 'node:events';
import { type Job, UnrecoverableError } from 'bullmq';
import { type Clock, pause } from '../../../async/clock.js';
import { resultToJson } from '../../../domain/result.js';
import { storable } from '../../../domain/text.js';
import type { AttemptHistory, FailedAttempt, JobOutcome } from '../../../jobs/delivery.js';
import { withStepEvents } from '../../../async/step-events.js';
import { isNotOurs, isPassing } from '../store/store-errors.js';
import { storableJson } from '../store/stored-text.js';

export type HeldJob = Pick<
  Job,
  'id' | 'updateProgress' | 'moveToCompleted' | 'moveToDelayed' | 'moveToFailed' | 'moveToWait'
>;

/** `lost`: the job is gone, settled already, or another worker has it; there is nothing left to write. */
export type Written = 'written' | 'lost';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
const REASON_MAX_CHARACTERS = 2_000;

export interface JobCompleter {
  readonly settle: (job: HeldJob, token: string, settlement: JobOutcome, signal: AbortSignal) => Promise<Written>;
  /** Puts the job back as if it had not been started; it has lost no attempt. */
  readonly handBack: (job: HeldJob, token: string) => Promise<Written>;
}

/** Rejects with the store's error when repeating it would not help, or once the signal is aborted. */
export function createJobCompleter({ clock }: { readonly clock: Clock }): JobCompleter {
  async function settle(job: HeldJob, token: string, settlement: JobOutcome, signal: AbortSignal): Promise<Written> {
    switch (settlement.action) {
      case 'complete': {
        const result = storableJson(resultToJson(settlement.result));
        return persist(() => job.moveToCompleted(result, token, false), signal);
      }
      case 'retry': {
        const dueMs = clock.now().getTime() + wholeDelayMs(settlement.delayMs);
        return remembering(job, settlement.history, () => job.moveToDelayed(dueMs, token), signal);
      }
      case 'dead_letter': {
        const fail = (): Promise<unknown> => job.moveToFailed(deadLetter(settlement.reason), token, false);
        return remembering(job, settlement.history, fail, signal);
      }
    }
  }

  /** The history goes first: once the job is moved, another worker may read it. */
  async function remembering(
    job: HeldJob,
    history: AttemptHistory,
    move: () => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<Written> {
    const progress = { ...history, attempts: history.attempts.map(storableAttempt) };
    const remembered = await persist(() => job.updateProgress(progress), signal);
    return remembered === 'lost' ? 'lost' : persist(move, signal);
  }

  async function persist(write: () => Promise<unknown>, signal: AbortSignal): Promise<Written> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        await write();
        return 'written';
      } catch (error) {
        if (isNotOurs(error)) return 'lost';
        if (!isPassing(error) || signal.aborted) throw error;
        await pause(clock, pauseMs, signal);
      }
    }
  }

  const unhurried = new AbortController().signal;
  // Every job that is handed back at once waits here; Node takes more than ten for a leak and warns.
  setMaxListeners(0, unhurried);
  return {
    settle: (job, token, settlement, signal) => {
      const facts = { 'job.id': job.id, 'rtmanager.settlement': settlement.action };
      return withStepEvents('job settle', facts, () => settle(job, token, settlement, signal));
    },
    handBack: (job, token) => persist(() => job.moveToWait(token), unhurried),
  };
}

/** Whole and finite: PostgreSQL refuses fractions of a millisecond. */
export function wholeDelayMs(delayMs: number): number {
  return Number.isFinite(delayMs) ? Math.max(0, Math.round(delayMs)) : 1_000;
}

const storableAttempt = (attempt: FailedAttempt): FailedAttempt => ({ ...attempt, message: storable(attempt.message) });

function deadLetter(reason: string): Error {
  const error = new UnrecoverableError(storable(reason, REASON_MAX_CHARACTERS));
  // Where in this file a job was given up tells nobody anything.
  error.stack = '';
  return error;
}
