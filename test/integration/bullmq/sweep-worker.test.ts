import { beforeEach, describe, expect, it } from 'vitest';
import { createScheduleStatus } from '../../../src/adapters/bullmq/sweeps/schedule-status.js';
import { type Clock, systemClock } from '../../../src/async/clock.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import type { SweepReport } from '../../../src/retention/ports.js';
import { openRetentionQueue, STORE_KINDS } from '../../support/queue/queue-stores.js';
import { useQueueWorld } from '../../support/queue/queue-world.js';
import { createChanges } from '../../support/changes.js';

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
  const world = useQueueWorld(kind);
  let sweep: (signal: AbortSignal) => Promise<SweepReport>;
  let swept: number;

  const sweeping = createChanges();

  /** With `checked`: how often this worker has checked the schedule. */
  const startWorker = async (everyMs: number) => {
    const counted = (signal: AbortSignal): Promise<SweepReport> => {
      swept += 1;
      sweeping.notify();
      return sweep(signal);
    };
    let checks = 0;
    const checked = createChanges();
    // After a check that succeeded the worker pauses for so long.
    const clock: Clock = {
      ...systemClock,
      after: (delayMs, fn) => {
        if (delayMs === ENSURE_EVERY_MS) {
          checks += 1;
          checked.notify();
        }
        return systemClock.after(delayMs, fn);
      },
    };
    const worker = await world.startSweepWorker(counted, { everyMs, ensureEveryMs: ENSURE_EVERY_MS, clock });
    return {
      stop: worker.stop,
      checks: () => checks,
      untilChecked: (count: number) => checked.until(() => expect(checks).toBeGreaterThanOrEqual(count)),
    };
  };
  const statusOf = async () => {
    const schedule = createScheduleStatus(world.deps());
    try {
      return await schedule.status();
    } finally {
      await schedule.close();
    }
  };

  beforeEach(() => {
    swept = 0;
    sweep = async () => reportOf();
  });

  it('the first sweep runs at once, and the status shows its report and the time of the next sweep', async () => {
    await startWorker(HOUR_MS);
    await world.sweepsEnded('completed', 1);
    const status = await statusOf();
    expect(status).toMatchObject({ everyMs: HOUR_MS, last: { status: 'done', planned: 2 }, lastFailure: null });
    expect(status.next?.getTime()).toBeGreaterThan(Date.now());
    expect(swept).toBe(1);
  });

  it(`concurrent starts create one schedule and one pending job (${STARTERS} at a time, ${ROUNDS} rounds)`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      await world.renewSpace();
      swept = 0;
      const started = await Promise.all(Array.from({ length: STARTERS }, () => startWorker(HOUR_MS)));
      const queue = await openRetentionQueue(world.space);
      await world.sweepsEnded('completed', 1);
      expect(await queue.getCompletedCount()).toBe(1);
      expect(await queue.getDelayedCount()).toBe(1);
      expect(await queue.getJobSchedulersCount()).toBe(1);
      expect(await queue.getJobCountByTypes('waiting', 'active', 'prioritized')).toBe(0);
      expect(swept).toBe(1);
      expect(world.space.report.of('fault')).toEqual([]);
      await Promise.all(started.map((worker) => worker.stop({ graceMs: 0 })));
      await queue.close();
    }
  }, 240_000);

  it('sweeps run one at a time with several workers and long sweeps', async () => {
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
    await sweeping.until(() => expect(swept).toBeGreaterThan(4), { withinMs: 20_000 });
    expect(most).toBe(1);
  });

  it('a sweep that failed in an outage is retried, and the schedule goes on', async () => {
    sweep = async () => {
      if (swept === 1) throw new UnavailableError('postgresql', 'no database');
      return reportOf();
    };
    await startWorker(HOUR_MS);
    await world.sweepsEnded('completed', 1);
    expect((await statusOf()).last?.status).toBe('done');
    expect(swept).toBe(2);
    expect((await statusOf()).next).not.toBeNull();
  });

  it('a stopping worker hands its sweep back, and the next worker runs it', async () => {
    const reasons: unknown[] = [];
    sweep = (signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reasons.push(signal.reason);
          // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- an abort reason is passed on as it is
          reject(signal.reason);
        });
      });
    const first = await startWorker(HOUR_MS);
    await sweeping.until(() => expect(swept).toBe(1));
    await first.stop({ graceMs: 0 });
    expect(reasons).toEqual(['shutdown']);
    sweep = async () => reportOf();
    await startWorker(HOUR_MS);
    await world.sweepsEnded('completed', 1);
    expect((await statusOf()).last?.status).toBe('done');
    expect(swept).toBe(2);
  });

  it('the schedule keeps the interval of the worker that started last', async () => {
    const first = await startWorker(HOUR_MS);
    await first.untilChecked(1);
    expect((await statusOf()).everyMs).toBe(HOUR_MS);
    const second = await startWorker(2 * HOUR_MS);
    await second.untilChecked(1);
    expect((await statusOf()).everyMs).toBe(2 * HOUR_MS);
    await first.untilChecked(first.checks() + 2);
    expect((await statusOf()).everyMs).toBe(2 * HOUR_MS);
  });

  it('a job with another name fails, and the sweeps go on', async () => {
    await startWorker(HOUR_MS);
    const queue = await openRetentionQueue(world.space);
    const { id = '' } = await queue.add('swep', {});
    await world.sweepsEnded('failed', 1);
    expect(await queue.getJobState(id)).toBe('failed');
    expect((await queue.getJob(id))?.failedReason).toBe('invalid_request: job name "swep" is unknown; allowed: sweep');
    expect((await statusOf()).lastFailure).toBeNull();
    await queue.close();
  });
});
