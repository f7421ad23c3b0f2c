/* oxlint-disable vitest/no-conditional-expect -- a property says what holds in each case */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ErrorCode, FAILURE_CODES, SUCCESS_CODES } from '../../../src/domain/error-codes.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import type { OperationEntry } from '../../../src/domain/operation.js';
import { createJobConsumer } from '../../../src/jobs/consume.js';
import type { Delivery, JobOutcome } from '../../../src/jobs/delivery.js';
import { readHistory, sinceReplay, withFailure } from '../../../src/jobs/attempt-history.js';
import { readPayload } from '../../../src/jobs/payload.js';
import { readReason } from '../../../src/jobs/failure-reason.js';
import { createWorld } from '../../support/cleanup-world.js';
import { aDelivery } from '../../support/deliveries.js';
import { createManualClock } from '../../support/manual-clock.js';
import { fuzz, UNHURRIED } from './fuzzing.js';
import { anything, hostileText, nearlyHistory, nearlyPayload } from './hostile.js';

const LIMITS = { conflictMaxAttempts: 10, conflictMaxDelayMs: 15_000, retryMaxAgeMs: 86_400_000 };
const { signal } = new AbortController();

const payload = fc.oneof({ weight: 3, arbitrary: nearlyPayload(anything) }, { weight: 2, arbitrary: anything });
const jobName = fc.oneof({ weight: 4, arbitrary: fc.constant('cleanup_container') }, hostileText);
const history = fc.oneof({ weight: 3, arbitrary: nearlyHistory }, { weight: 1, arbitrary: anything });
const delivery: fc.Arbitrary<Delivery> = fc.record({
  jobId: hostileText,
  jobName,
  payload,
  run: fc.nat(),
  crashes: fc.oneof({ weight: 4, arbitrary: fc.nat(12) }, fc.nat()),
  history,
});

/** One delivery to a new world, in which game-1 has a stopped container that may be removed. */
async function consumed(given: Delivery): Promise<{ settlement: JobOutcome; rows: readonly OperationEntry[] }> {
  const world = createWorld();
  const deps = { cleanup: world.service, clock: createManualClock(), random: () => 0.5, traceId: () => '' };
  return { settlement: await createJobConsumer(deps, LIMITS).consume(given, signal), rows: world.rows };
}

function codeOf(settlement: JobOutcome): ErrorCode | undefined {
  switch (settlement.action) {
    case 'complete':
      return settlement.result.errorCode;
    case 'hold':
      return undefined;
    case 'retry':
      return settlement.history.attempts.at(-1)?.code;
    case 'dead_letter':
      return readReason(settlement.reason)?.code;
  }
}

const KNOWN: readonly unknown[] = [...SUCCESS_CODES, ...FAILURE_CODES];
const NO_ROW = { gameId: '\0', opSource: '', sourceRef: '', errorMessage: '' };
const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');
const asStored = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('an arbitrary job', () => {
  it('a job ends with a known code, the same each time, and leaves one row that can be stored', UNHURRIED, async () => {
    await fc.assert(
      fc.asyncProperty(delivery, async (given) => {
        const { settlement, rows } = await consumed(given);
        expect(KNOWN).toContain(codeOf(settlement));
        const again = await consumed(given);
        expect([again.settlement.action, codeOf(again.settlement)]).toEqual([settlement.action, codeOf(settlement)]);

        expect(rows).toHaveLength(1);
        expect(rows[0]?.errorCode).toBe(codeOf(settlement));
        const { gameId, opSource, sourceRef, errorMessage } = rows[0] ?? NO_ROW;
        for (const text of [gameId, opSource, sourceRef, errorMessage]) expect(isStorable(text)).toBe(true);
        expect(errorMessage.length).toBeLessThanOrEqual(4_000);
      }),
      fuzz(800),
    );
  });

  it('the outcome of a job can be written by either store', UNHURRIED, async () => {
    await fc.assert(
      fc.asyncProperty(delivery, async (given) => {
        const { settlement } = await consumed(given);
        expect(settlement.action !== 'retry' || Number.isSafeInteger(settlement.delayMs)).toBe(true);
        expect(settlement.action !== 'dead_letter' || isStorable(settlement.reason)).toBe(true);
      }),
      fuzz(500),
    );
  });

  it('the history of a job is read back as it was written', UNHURRIED, () => {
    const failed = fc.record({
      attempt: fc.nat(),
      code: fc.constantFrom(...FAILURE_CODES),
      message: hostileText,
      // A worker's clock.
      at: fc.integer({ min: 0, max: Date.UTC(9999, 0) }).map((ms) => new Date(ms).toISOString()),
      traceId: fc.constant(''),
    });
    fc.assert(
      fc.property(history, failed, fc.nat(12), (progress, newest, crashes) => {
        const kept = asStored(withFailure(sinceReplay(readHistory(progress), crashes), newest));
        expect(asStored(readHistory(kept))).toEqual(kept);
      }),
      fuzz(2_000),
    );
  });

  it('a job becomes a command only when all its data is understood', UNHURRIED, () => {
    fc.assert(
      fc.property(payload, jobName, (data, name) => {
        const read = readPayload(aDelivery({ payload: data, jobName: name }));
        for (const part of [read.command.gameId, read.command.opSource, read.command.sourceRef]) {
          expect(typeof part).toBe('string');
        }
        if (!read.valid) return;
        expect(name).toBe('cleanup_container');
        const { gameId, opSource, sourceRef, expectedContainerId } = read.command;
        // No field was ignored, and no field was added.
        const precondition = expectedContainerId === null ? {} : { expectedContainerId };
        const said: object = { sourceRef: '', ...(asStored(data) as object) };
        expect(said).toEqual({ gameId, opSource, sourceRef, ...precondition });
      }),
      fuzz(2_000),
    );
  });

  it('a job ends with every stored history and every permanent failure', UNHURRIED, async () => {
    const troubles = fc.constantFrom<Trouble>('conflict', 'service_unavailable', 'internal_error');
    await fc.assert(
      fc.asyncProperty(troubles, history, async (trouble, remembered) => {
        expect(await triesUntilDead(trouble, remembered)).toBeLessThanOrEqual(LIMITS.conflictMaxAttempts + 1);
      }),
      fuzz(300),
    );
  });
});

type Trouble = 'conflict' | 'service_unavailable' | 'internal_error';

/** The number of tries of a job that fails in the same way each time and returns as it was stored. */
async function triesUntilDead(trouble: Trouble, remembered: unknown): Promise<number> {
  const world = createWorld();
  world.look = async () => {
    if (trouble === 'conflict') return { kind: 'present', gameLabel: null, activity: 'running', detail: 'running' };
    if (trouble === 'service_unavailable') throw new UnavailableError('docker', 'no answer');
    throw new TypeError('a bug');
  };
  const clock = createManualClock();
  const deps = { cleanup: world.service, clock, random: () => 0.5, traceId: () => '' };
  const consumer = createJobConsumer(deps, { ...LIMITS, retryMaxAgeMs: 60_000 });
  let progress = remembered;
  for (let run = 1; run <= 100; run++) {
    const settlement = await consumer.consume(aDelivery({ run, history: progress }), signal);
    if (settlement.action === 'dead_letter') return run;
    if (settlement.action !== 'retry') throw new TypeError(`there is nothing to ${settlement.action}`);
    clock.skip(settlement.delayMs);
    progress = asStored(settlement.history);
  }
  return Number.POSITIVE_INFINITY;
}
