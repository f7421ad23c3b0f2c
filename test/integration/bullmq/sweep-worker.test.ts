import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RETENTION_QUEUE } from '../../../src/adapters/bullmq/names.js';
import { createScheduleStatus } from '../../../src/adapters/bullmq/sweeps/schedule-status.js';
import { createSweepWorker } from '../../../src/adapters/bullmq/sweeps/sweep-worker.js';
import type { QueueWorker } from '../../../src/adapters/bullmq/worker/queue-worker.js';
import { type Clock, systemClock } from '../../../src/async/clock.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import type { SweepReport } from '../../../src/retention/ports.js';
import { type QueueSpace, startStore, STORE_KINDS, type TestStore } from '../../support/queue/queue-stores.js';
import { eventually } from '../../support/eventually.js';

const HOUR_MS = 3_600_000;
const STARTERS = 8;
const ROUNDS = 25;
const ENSURE_EVERY_MS = 200;

const reportOf = (asOf = new Date()): SweepReport => ({
  status: 'done',
  asOf: asOf.toISOString(),
  finishedAt: asOf.toISOString(),
  stopped: 3,
  planned: 2,
  kept: { held: 1, dead_letter: 0, invalid_id: 0 },
  enqueued: 2,
  coalesced: 0,
  failed: 0,
});

describe.each(STORE_KINDS)('the sweeps on %s', (kind) => {
  let store: TestStore;
  let space: QueueSpace;
  let workers: QueueWorker[];
  let sweep: (signal: AbortSignal) => Promise<SweepReport>;
  let swept: number;

  /** Counts the pauses between two looks at the schedule. */
  let looks = 0;
  const countingClock: Clock = {
    ...systemClock,
    after: (delayMs, fn) => {
      if (delayMs === ENSURE_EVERY_MS) looks += 1;
      return systemClock.after(delayMs, fn);
    },
  };

  const startWorker = async (everyMs: number): Promise<QueueWorker> => {
    const worker = createSweepWorker(
      {
        backend: space.backend,
        clock: countingClock,
        report: space.report,
        sweep: (signal) => {
          swept += 1;
          return sweep(signal);
        },
      },
      { everyMs, ensureEveryMs: ENSURE_EVERY_MS },
    );
    workers.push(worker);
    await worker.start();
    return worker;
  };
  const statusOf = async () => {
    const schedule = createScheduleStatus({ backend: space.backend, clock: systemClock, report: space.report });
    try {
      return await schedule.status();
    } finally {
      await schedule.close();
    }
  };

  beforeAll(async () => {
    store = await startStore(kind);
  });
  afterAll(() => store.stop());
  beforeEach(async () => {
    space = await store.space();
    workers = [];
    swept = 0;
    sweep = async () => reportOf();
  });
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop({ graceMs: 0 })));
    await space.close();
  });

  it('begin at once, and are told of with their report and the next one', async () => {
    await startWorker(HOUR_MS);
    const status = await eventually(async () => {
      const found = await statusOf();
      expect(found.last).not.toBeNull();
      return found;
    });
    expect(status).toMatchObject({ everyMs: HOUR_MS, last: { status: 'done', planned: 2 }, lastFailure: null });
    expect(status.next?.getTime()).toBeGreaterThan(Date.now());
    expect(swept).toBe(1);
  });

  it(`have one schedule and one pending job, whoever starts at once (${STARTERS} at a time, ${ROUNDS} rounds)`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      await space.close();
      space = await store.space();
      swept = 0;
      const started = await Promise.all(Array.from({ length: STARTERS }, () => startWorker(HOUR_MS)));
      const queue = await space.backend.queue({ name: RETENTION_QUEUE, onError: () => undefined });
      await eventually(async () => expect(await queue.getCompletedCount()).toBe(1));
      await eventually(async () => expect(await queue.getDelayedCount()).toBe(1));
      expect(await queue.getJobSchedulersCount()).toBe(1);
      expect(await queue.getJobCountByTypes('waiting', 'active', 'prioritized')).toBe(0);
      expect(swept).toBe(1);
      expect(space.report.of('fault')).toEqual([]);
      await Promise.all(started.map((worker) => worker.stop({ graceMs: 0 })));
      workers = [];
      await queue.close();
    }
  }, 240_000);

  it('run one at a time, however many workers there are and however long one takes', async () => {
    let running = 0;
    let most = 0;
    sweep = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => systemClock.after(350, () => resolve(undefined)));
      running -= 1;
      return reportOf();
    };
    await Promise.all([startWorker(100), startWorker(100), startWorker(100), startWorker(100)]);
    await eventually(() => expect(swept).toBeGreaterThan(4), { withinMs: 20_000 });
    expect(most).toBe(1);
  });

  it('are tried again when a store was away, and the schedule goes on', async () => {
    sweep = async () => {
      if (swept === 1) throw new UnavailableError('postgresql', 'no database');
      return reportOf();
    };
    await startWorker(HOUR_MS);
    await eventually(async () => expect((await statusOf()).last?.status).toBe('done'));
    expect(swept).toBe(2);
    expect((await statusOf()).next).not.toBeNull();
  });

  it('are handed back by a worker that stops, and run again by the next one', async () => {
    const told: unknown[] = [];
    sweep = (signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          told.push(signal.reason);
          // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- an abort reason is passed on as it is
          reject(signal.reason);
        });
      });
    const first = await startWorker(HOUR_MS);
    await eventually(() => expect(swept).toBe(1));
    await first.stop({ graceMs: 0 });
    expect(told).toEqual(['shutdown']);
    sweep = async () => reportOf();
    await startWorker(HOUR_MS);
    await eventually(async () => expect((await statusOf()).last?.status).toBe('done'));
    expect(swept).toBe(2);
  });

  it('follow the interval of whoever started last, and nobody takes turns', async () => {
    await startWorker(HOUR_MS);
    await eventually(async () => expect((await statusOf()).everyMs).toBe(HOUR_MS));
    await startWorker(2 * HOUR_MS);
    await eventually(async () => expect((await statusOf()).everyMs).toBe(2 * HOUR_MS));
    const before = looks;
    // Each of the two looks again and again; six looks are two of the first one at least.
    await eventually(() => expect(looks).toBeGreaterThan(before + 6));
    expect((await statusOf()).everyMs).toBe(2 * HOUR_MS);
  });

  it('do not fall over a job of another name', async () => {
    await startWorker(HOUR_MS);
    const queue = await space.backend.queue({ name: RETENTION_QUEUE, onError: () => undefined });
    const { id = '' } = await queue.add('swep', {});
    await eventually(async () => expect(await queue.getJobState(id)).toBe('failed'));
    expect((await queue.getJob(id))?.failedReason).toBe('invalid_request: job name "swep" is unknown; allowed: sweep');
    expect((await statusOf()).lastFailure).toBeNull();
    await queue.close();
  });
});
