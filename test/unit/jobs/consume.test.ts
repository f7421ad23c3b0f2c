import { describe, expect, it } from 'vitest';
import type { CleanupService } from '../../../src/cleanup/cleanup-service.js';
import type { Held } from '../../../src/cleanup/ports.js';
import type { FailureCode } from '../../../src/domain/error-codes.js';
import { failure, type Result } from '../../../src/domain/result.js';
import { createJobConsumer } from '../../../src/jobs/consume.js';
import type { Delivery, JobOutcome } from '../../../src/jobs/delivery.js';
import { aDelivery } from '../../support/deliveries.js';
import { aRecord } from '../../support/records.js';
import { neverAborted } from '../../support/calls.js';

const HOUR_MS = 3_600_000;
const limits = { conflictMaxAttempts: 3, conflictMaxDelayMs: 5_000, retryMaxAgeMs: HOUR_MS };
const START_MS = Date.parse('2026-03-01T00:00:00Z');

function setUp(result: Result | Held = failure('conflict', 'busy')) {
  const asked: string[] = [];
  const state = { result, nowMs: START_MS };
  const cleanup: CleanupService = {
    handle: async (command) => {
      asked.push(`handle ${command.gameId}`);
      return state.result;
    },
    refuse: async (command, code, message) => {
      asked.push(`refuse ${command.gameId} ${code}`);
      return failure(code, message);
    },
  };
  const clock = { now: () => new Date(state.nowMs), monotonicMs: () => 0, after: () => () => undefined };
  const consumer = createJobConsumer({ cleanup, clock, random: () => 0.5, traceId: () => 'trace-1' }, limits);
  const consume = (over: Partial<Delivery> = {}): Promise<JobOutcome> =>
    consumer.consume(aDelivery(over), neverAborted);
  const abandoned = (over: Partial<Delivery>, reason: string): Promise<JobOutcome> =>
    consumer.abandoned(aDelivery(over), reason);
  return { asked, state, consume, abandoned };
}

const historyOf = (settled: JobOutcome | undefined): unknown =>
  settled !== undefined && 'history' in settled ? settled.history : 0;

describe('the job consumer', () => {
  it('a delivery whose cleanup succeeds completes with the result', async () => {
    const result: Result = {
      outcome: 'success',
      errorCode: '',
      errorMessage: '',
      record: aRecord(),
      removal: 'removed',
    };
    const { consume } = setUp(result);
    expect(await consume()).toEqual({ action: 'complete', result });
  });

  it('a delivery that cannot be read is refused with a row and becomes a dead letter', async () => {
    const { consume, asked } = setUp();
    const settled = await consume({ payload: { gameId: 'g' } });
    expect(asked).toEqual(['refuse g invalid_request']);
    expect(settled).toMatchObject({
      action: 'dead_letter',
      reason: expect.stringMatching(/^invalid_request: opSource/),
    });
  });

  it('a delivery of a sweep that meets a conflict completes with that failure', async () => {
    const { consume } = setUp();
    const settled = await consume({ payload: { gameId: 'g', opSource: 'auto_ttl' } });
    expect(settled).toMatchObject({ action: 'complete', result: { errorCode: 'conflict' } });
  });

  it('the history keeps each failed try with its code, message, time and trace', async () => {
    const { consume } = setUp();
    expect(await consume({ run: 4 })).toEqual({
      action: 'retry',
      delayMs: 1_000,
      history: {
        counts: { conflict: 1 },
        firstFailedAt: '2026-03-01T00:00:00.000Z',
        attempts: [
          { attempt: 4, code: 'conflict', message: 'busy', at: '2026-03-01T00:00:00.000Z', traceId: 'trace-1' },
        ],
        death: null,
        pastLives: [],
      },
    });
  });

  it('a job is a dead letter after the allowed conflicts, with any number of outages between them', async () => {
    const { consume, state } = setUp();
    const codes: FailureCode[] = ['conflict', 'service_unavailable', 'service_unavailable', 'conflict', 'conflict'];
    const actions: string[] = [];
    let history: unknown = 0;
    for (const code of codes) {
      state.result = failure(code, 'no');
      const settled = await consume({ history });
      actions.push(settled.action);
      history = historyOf(settled);
    }
    expect(actions).toEqual(['retry', 'retry', 'retry', 'retry', 'dead_letter']);
  });

  it('a job is retried in an outage until its first failure is older than the limit', async () => {
    const { consume, state } = setUp(failure('service_unavailable', 'down'));
    const history = historyOf(await consume());
    state.nowMs = START_MS + HOUR_MS - 1;
    expect(await consume({ history })).toMatchObject({ action: 'retry' });
    state.nowMs = START_MS + HOUR_MS;
    expect(await consume({ history })).toMatchObject({ action: 'dead_letter', reason: 'service_unavailable: down' });
  });

  it('a clock that was set back does not make a job older', async () => {
    const { consume, state } = setUp(failure('service_unavailable', 'down'));
    const history = historyOf(await consume());
    state.nowMs = START_MS - 48 * HOUR_MS;
    expect(await consume({ history })).toMatchObject({ action: 'retry' });
  });

  it('a job whose worker vanished nine times is tried again', async () => {
    const { consume, asked } = setUp();
    await consume({ crashes: 9 });
    expect(asked).toEqual(['handle game-1']);
  });

  it('a job whose worker vanished ten times is a dead letter with its row, and is not tried', async () => {
    const { consume, asked } = setUp();
    const settled = await consume({ crashes: 10 });
    expect(asked).toEqual(['refuse game-1 internal_error']);
    expect(settled).toMatchObject({
      action: 'dead_letter',
      reason: expect.stringMatching(/^internal_error: the worker vanished 10 times/),
    });
  });

  it('the history of a dead letter has the reason, the time and the crashes so far', async () => {
    const { consume } = setUp(failure('container_mismatch', 'another game'));
    expect(await consume({ crashes: 2 })).toMatchObject({
      action: 'dead_letter',
      history: {
        death: { reason: 'container_mismatch: another game', at: '2026-03-01T00:00:00.000Z', crashes: 2 },
        pastLives: [],
      },
    });
  });

  it('a replayed job has all its tries again, and its history shows both runs', async () => {
    const { consume } = setUp();
    const live = async (start: unknown): Promise<JobOutcome[]> => {
      const settled = [await consume({ history: start })];
      while (settled.at(-1)?.action === 'retry') settled.push(await consume({ history: historyOf(settled.at(-1)) }));
      return settled;
    };
    const first = await live(0);
    const second = await live(historyOf(first.at(-1)));
    expect(second.map(({ action }) => action)).toEqual(first.map(({ action }) => action));
    expect(second.at(-1)).toMatchObject({
      reason: 'conflict: busy',
      history: {
        counts: { conflict: 3 },
        pastLives: [{ reason: 'conflict: busy', attempts: [{ code: 'conflict' }, {}, {}] }],
      },
    });
  });

  it('a job that was dead-lettered after ten crashes may crash ten more times after a replay', async () => {
    const { consume, asked } = setUp();
    const first = historyOf(await consume({ crashes: 10 }));
    const again = historyOf(await consume({ crashes: 10, history: first }));
    await consume({ crashes: 19, history: again });
    const settled = await consume({ crashes: 20, history: again });
    expect(asked).toEqual(
      ['refuse', 'handle', 'handle', 'refuse'].map((word): unknown => expect.stringContaining(word)),
    );
    expect(settled).toMatchObject({ action: 'dead_letter', reason: expect.stringContaining('vanished 10 times') });
  });

  it('a job whose worker vanished before failing it becomes a dead letter in the same run', async () => {
    const { consume } = setUp(failure('not_found', 'no record'));
    const written = historyOf(await consume({ crashes: 0 }));
    expect(await consume({ crashes: 1, history: written })).toMatchObject({
      action: 'dead_letter',
      history: { counts: { not_found: 2 }, death: { crashes: 1 }, pastLives: [] },
    });
  });

  it('a job that the queue abandoned is a dead letter with its row, and is not tried', async () => {
    const { asked, abandoned } = setUp();
    expect(await abandoned({ run: 7 }, 'job stalled more than allowable limit')).toMatchObject({
      action: 'dead_letter',
      reason: 'internal_error: the queue gave the job up: job stalled more than allowable limit',
      history: { counts: { internal_error: 1 }, attempts: [{ attempt: 7, code: 'internal_error' }] },
    });
    expect(asked).toEqual(['refuse game-1 internal_error']);
  });

  it('an interrupted delivery has no outcome', async () => {
    const reason = new Error('shutdown');
    const cleanup = { handle: () => Promise.reject(reason), refuse: () => Promise.reject(reason) };
    const clock = { now: () => new Date(0), monotonicMs: () => 0, after: () => () => undefined };
    const consumer = createJobConsumer({ cleanup, clock, random: () => 0, traceId: () => '' }, limits);
    await expect(consumer.consume(aDelivery(), neverAborted)).rejects.toBe(reason);
  });
});

describe('a delivery whose engine cannot be used', () => {
  const held: Held = {
    outcome: 'held',
    errorCode: 'engine_mismatch',
    errorMessage: 'another engine',
    retryInMs: 5_000,
    firstRow: 'written',
  };

  it('a delivery that is held for the first time leaves a row and is retried', async () => {
    const { consume, asked } = setUp(held);
    const settled = await consume({ payload: { gameId: 'g', opSource: 'admin_rest' } });
    expect(asked).toEqual(['handle g', 'refuse g engine_mismatch']);
    expect(settled).toMatchObject({ action: 'retry', history: { counts: { engine_mismatch: 1 } } });
  });

  it('a delivery that is held again for the same reason comes back without a row and without a history', async () => {
    const { consume, asked } = setUp(held);
    const payload = { gameId: 'g', opSource: 'admin_rest' };
    const first = await consume({ payload });
    if (first.action !== 'retry') throw new TypeError(`not retried: ${first.action}`);
    asked.length = 0;
    expect(await consume({ payload, history: first.history })).toEqual({ action: 'hold', delayMs: 5_000 });
    expect(asked).toEqual(['handle g']);
  });

  it('a delivery that is held for another reason than before leaves a row again', async () => {
    const { consume, asked, state } = setUp(held);
    const payload = { gameId: 'g', opSource: 'admin_rest' };
    const first = await consume({ payload });
    if (first.action !== 'retry') throw new TypeError(`not retried: ${first.action}`);
    state.result = { ...held, errorCode: 'service_unavailable' };
    expect(await consume({ payload, history: first.history })).toMatchObject({ action: 'retry' });
    expect(asked.at(-1)).toBe('refuse g service_unavailable');
  });

  it('a delivery that is held for the first time comes back when its engine may be usable again', async () => {
    const { consume } = setUp({ ...held, retryInMs: 20_000 });
    const payload = { gameId: 'g', opSource: 'admin_rest' };
    expect(await consume({ payload })).toMatchObject({ action: 'retry', delayMs: 20_000 });
  });

  it('a delivery whose engine is only busy comes back without a row, also the first time', async () => {
    const { consume, asked } = setUp({ ...held, errorCode: 'service_unavailable', firstRow: 'none' });
    expect(await consume({ payload: { gameId: 'g', opSource: 'admin_rest' } })).toEqual({
      action: 'hold',
      delayMs: 5_000,
    });
    expect(asked).toEqual(['handle g']);
  });

  it('a delivery of a sweep is held like any other', async () => {
    const { consume } = setUp(held);
    expect(await consume({ payload: { gameId: 'g', opSource: 'auto_ttl' } })).toMatchObject({ action: 'retry' });
  });
});
