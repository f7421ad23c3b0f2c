/** Schedules of sweeps that are there and bring none, jobs that would stop all others, and what is told of them. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JobQueue, QueueStore } from '../../../src/adapters/bullmq/store/queue-store.js';
import { SWEEP_JOB, SWEEP_SCHEDULER } from '../../../src/adapters/bullmq/names.js';
import { createQueueTelemetry } from '../../../src/adapters/bullmq/store/queue-telemetry.js';
import { createScheduleStatus } from '../../../src/adapters/bullmq/sweeps/schedule-status.js';
import { createSweepWorker } from '../../../src/adapters/bullmq/sweeps/sweep-worker.js';
import type { QueueWorker } from '../../../src/adapters/bullmq/worker/queue-worker.js';
import { systemClock } from '../../../src/async/clock.js';
import type { SweepReport } from '../../../src/retention/ports.js';
import { untilAborted } from '../../support/queue/queue-scripts.js';
import { type QueueSpace, startStore, STORE_KINDS, type TestStore } from '../../support/queue/queue-stores.js';
import { loseJob, NOTHING_DUE, openRetentionQueue, spoilJob, takeLock } from '../../support/queue/sweep-world.js';
import { eventually } from '../../support/eventually.js';

const DAY_MS = 24 * 3_600_000;
const INTERVAL_MS = 1_000;

describe.each(STORE_KINDS)('the schedule of sweeps on %s', (kind) => {
  let store: TestStore;
  let space: QueueSpace;
  let queue: JobQueue;
  let worker: QueueWorker | undefined;
  let swept: number;
  let sweep: (signal: AbortSignal) => Promise<SweepReport>;

  const startWorker = async (everyMs = INTERVAL_MS, backend: QueueStore = space.backend): Promise<QueueWorker> => {
    const deps = { backend, clock: systemClock, report: space.report, telemetry: createQueueTelemetry() };
    const counted = (signal: AbortSignal): Promise<SweepReport> => {
      swept += 1;
      return sweep(signal);
    };
    worker = createSweepWorker({ ...deps, sweep: counted }, { everyMs, ensureEveryMs: 100 });
    await worker.start();
    return worker;
  };
  const sweptTimes = (times: number) =>
    eventually(() => expect(swept).toBeGreaterThanOrEqual(times), { withinMs: 25_000 });
  const addSchedule = (repeat: { every: number; limit?: number }, name = SWEEP_JOB) =>
    queue.upsertJobScheduler(SWEEP_SCHEDULER, repeat, { name, data: {} });

  beforeAll(async () => {
    store = await startStore(kind);
  });
  afterAll(() => store.stop());
  beforeEach(async () => {
    space = await store.space();
    queue = await openRetentionQueue(space);
    swept = 0;
    sweep = async () => NOTHING_DUE;
  });
  afterEach(async () => {
    vi.useRealTimers();
    await worker?.stop({ graceMs: 0 });
    worker = undefined;
    await queue.close();
    await space.close();
  });

  it('goes on when the job that was to be the next sweep is lost', async () => {
    await startWorker();
    const lost = await eventually(async () => {
      expect(await queue.getDelayedCount()).toBe(1);
      return `repeat:${SWEEP_SCHEDULER}:${(await queue.getJobScheduler(SWEEP_SCHEDULER))?.next}`;
    });
    await loseJob(store, space, queue, lost);
    await sweptTimes(swept + 2);
    await eventually(() => expect(space.report.of('repaired')).toHaveLength(1));
    expect(await queue.getJobSchedulersCount()).toBe(1);
  }, 40_000);

  it('goes on when the clock of whoever gave the next sweep its time was a day ahead', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + DAY_MS });
    await addSchedule({ every: INTERVAL_MS });
    vi.useRealTimers();
    await startWorker();
    // The first one runs at once, whatever its time; those after it would be a day away.
    await sweptTimes(4);
    const next = (await queue.getJobScheduler(SWEEP_SCHEDULER))?.next ?? 0;
    expect(next).toBeLessThan(Date.now() + DAY_MS / 2);
  }, 40_000);

  it.each([
    ['brings jobs of another name', { every: INTERVAL_MS }, 'other'],
    ['ends after one sweep', { every: INTERVAL_MS, limit: 1 }, SWEEP_JOB],
  ])(
    'is made anew where there is one under its id that %s',
    async (_what, repeat, name) => {
      await addSchedule(repeat, name);
      await startWorker();
      await sweptTimes(3);
      expect(await queue.getJobScheduler(SWEEP_SCHEDULER)).toMatchObject({ name: SWEEP_JOB, every: INTERVAL_MS });
      expect((await queue.getJobScheduler(SWEEP_SCHEDULER))?.limit).toBeUndefined();
    },
    40_000,
  );

  it('is not held up by a job whose trace context cannot be read', async () => {
    const { id = '' } = await queue.add(SWEEP_JOB, {}, { telemetry: { metadata: 'not json' } });
    await startWorker();
    await sweptTimes(3);
    expect(await queue.getJobState(id)).toBe('completed');
  }, 40_000);

  it('gives a sweep whose lock was lost to another run, tells the first one, and calls it no fault', async () => {
    const told: unknown[] = [];
    sweep = async (signal) => {
      if (swept > 1) return NOTHING_DUE;
      signal.addEventListener('abort', () => told.push(signal.reason));
      return untilAborted(signal);
    };
    await startWorker(DAY_MS);
    await sweptTimes(1);
    const [active] = await queue.getActive();
    const jobId = active?.id ?? '';
    await takeLock(store, space, queue, jobId);
    await sweptTimes(2);
    expect(told).toEqual(['lock lost']);
    expect(space.report.of('lockLost')).toEqual([`lockLost: ${jobId}`]);
    expect(space.report.of('fault')).toEqual([]);
  }, 40_000);

  it('leaves nothing behind when the worker is stopped while it is being made', async () => {
    let making = 0;
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const withScheduleLock: QueueStore['withScheduleLock'] = (work) =>
      space.backend.withScheduleLock(async () => {
        making += 1;
        await held;
        return work().finally(() => (making -= 1));
      });
    const stopping = await startWorker(DAY_MS, { ...space.backend, withScheduleLock });
    await eventually(() => expect(making).toBe(1));
    const stopped = stopping.stop({ graceMs: 0 });
    // Only once all that a stop closes at once has had the time to be closed.
    await new Promise((resolve) => systemClock.after(300, () => resolve(undefined)));
    goOn();
    await stopped;
    await eventually(() => expect(making).toBe(0), { withinMs: 5_000 });
  }, 30_000);

  it('tells of sweeps only, whatever else lies in their queue', async () => {
    await startWorker(DAY_MS);
    await sweptTimes(1);
    const { id = '' } = await queue.add('other', {});
    await eventually(async () => expect(await queue.getJobState(id)).toBe('failed'));
    if (kind === 'redis') await spoilJob(queue, id, { data: '{"' });
    const schedule = createScheduleStatus({ backend: space.backend, clock: systemClock, report: space.report });
    const status = await schedule.status();
    await schedule.close();
    expect(status).toMatchObject({ everyMs: DAY_MS, last: { status: 'done' }, lastFailure: null });
  });
});

describe('a Redis with a job in it that cannot be read', () => {
  it('has its sweeps all the same, a few seconds late', async () => {
    const store = await startStore('redis');
    const space = await store.space();
    const queue = await openRetentionQueue(space);
    let swept = 0;
    const sweep = async (): Promise<SweepReport> => {
      swept += 1;
      return NOTHING_DUE;
    };
    const deps = { backend: space.backend, clock: systemClock, report: space.report };
    const worker = createSweepWorker({ ...deps, sweep }, { everyMs: INTERVAL_MS, ensureEveryMs: 100 });
    try {
      const job = await queue.add(SWEEP_JOB, {}, { delay: DAY_MS });
      await spoilJob(queue, job.id ?? '', { opts: 'null' });
      // Promotion reads nothing of what was spoilt.
      await job.promote();
      await worker.start();
      await eventually(() => expect(swept).toBeGreaterThan(2), { withinMs: 25_000 });
      expect(space.report.of('repaired').join()).toContain('could not be read');
    } finally {
      await worker.stop({ graceMs: 0 });
      await queue.close();
      await space.close();
      await store.stop();
    }
  }, 40_000);
});
