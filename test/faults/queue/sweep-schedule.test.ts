/** Schedules that exist but start no sweep, jobs that would block all others, and what the status shows of both. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JobQueue, QueueStore } from '../../../src/adapters/bullmq/store/queue-store.js';
import { RETENTION_QUEUE, SWEEP_JOB, SWEEP_SCHEDULER } from '../../../src/adapters/bullmq/names.js';
import { createScheduleStatus } from '../../../src/adapters/bullmq/sweeps/schedule-status.js';
import type { QueueWorker } from '../../../src/adapters/bullmq/worker/queue-worker.js';
import { systemClock } from '../../../src/async/clock.js';
import { type CountedSweeps, countedSweeps, NOTHING_DUE, untilAborted } from '../../support/queue/queue-scripts.js';
import { openRetentionQueue, STORE_KINDS } from '../../support/queue/queue-stores.js';
import { useQueueWorld } from '../../support/queue/queue-world.js';
import { loseJob, spoilJob, takeLock } from '../../support/queue/stored-jobs.js';

const DAY_MS = 24 * 3_600_000;
const INTERVAL_MS = 1_000;

describe.each(STORE_KINDS)('the schedule of sweeps on %s', (kind) => {
  const world = useQueueWorld(kind);
  let queue: JobQueue;
  let sweeps: CountedSweeps;

  const startWorker = (everyMs = INTERVAL_MS, backend: QueueStore = world.space.backend): Promise<QueueWorker> =>
    world.startSweepWorker(sweeps.sweep, { everyMs, ensureEveryMs: 100, backend });
  const untilSwept = (times: number) => sweeps.untilBegun(times, { withinMs: 25_000 });
  const addSchedule = (repeat: { every: number; limit?: number }, name = SWEEP_JOB) =>
    queue.upsertJobScheduler(SWEEP_SCHEDULER, repeat, { name, data: {} });

  beforeEach(async () => {
    queue = await openRetentionQueue(world.space);
    world.atEnd(() => queue.close());
    sweeps = countedSweeps();
  });
  afterEach(() => void vi.useRealTimers());

  it('the sweeps go on when the job of the next sweep is lost', async () => {
    await startWorker();
    const lost = await world.space.untilQueue(
      async () => {
        expect(await queue.getDelayedCount()).toBe(1);
        return `repeat:${SWEEP_SCHEDULER}:${(await queue.getJobScheduler(SWEEP_SCHEDULER))?.next}`;
      },
      { queue: RETENTION_QUEUE },
    );
    await loseJob(world.store, world.space, queue, lost);
    await untilSwept(sweeps.begun() + 2);
    await world.space.report.until(() => expect(world.space.report.of('repaired')).toHaveLength(1));
    expect(await queue.getJobSchedulersCount()).toBe(1);
  }, 40_000);

  it('the sweeps go on when a clock that was a day ahead set the time of the next sweep', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + DAY_MS });
    await addSchedule({ every: INTERVAL_MS });
    vi.useRealTimers();
    await startWorker();
    // The first sweep runs at once, without regard to its time; the next ones would be a day away.
    await untilSwept(4);
    const next = (await queue.getJobScheduler(SWEEP_SCHEDULER))?.next ?? 0;
    expect(next).toBeLessThan(Date.now() + DAY_MS / 2);
  }, 40_000);

  it.each([
    ['adds jobs of another name', { every: INTERVAL_MS }, 'other'],
    ['ends after one sweep', { every: INTERVAL_MS, limit: 1 }, SWEEP_JOB],
  ])(
    'a schedule of sweeps is replaced when the one under its id %s',
    async (_what, repeat, name) => {
      await addSchedule(repeat, name);
      await startWorker();
      await untilSwept(3);
      expect(await queue.getJobScheduler(SWEEP_SCHEDULER)).toMatchObject({ name: SWEEP_JOB, every: INTERVAL_MS });
      expect((await queue.getJobScheduler(SWEEP_SCHEDULER))?.limit).toBeUndefined();
    },
    40_000,
  );

  it('a job whose trace context cannot be read does not block the sweeps', async () => {
    const { id = '' } = await queue.add(SWEEP_JOB, {}, { telemetry: { metadata: 'not json' } });
    await startWorker();
    await untilSwept(3);
    expect(await queue.getJobState(id)).toBe('completed');
  }, 40_000);

  it('a sweep whose lock was lost is aborted and runs again, without a fault in the report', async () => {
    const reasons: unknown[] = [];
    sweeps = countedSweeps(async (nth, signal) => {
      if (nth > 1) return NOTHING_DUE;
      signal.addEventListener('abort', () => reasons.push(signal.reason));
      return untilAborted(signal);
    });
    await startWorker(DAY_MS);
    await untilSwept(1);
    const [active] = await queue.getActive();
    const jobId = active?.id ?? '';
    await takeLock(world.store, world.space, queue, jobId);
    await untilSwept(2);
    expect(reasons).toEqual(['lock lost']);
    expect(world.space.report.of('lockLost')).toEqual([`lockLost: ${jobId}`]);
    expect(world.space.report.of('fault')).toEqual([]);
  }, 40_000);

  it('a worker that is stopped while it creates the schedule waits until that is done', async () => {
    let isCreated = false;
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    let begin = (): void => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const withScheduleLock: QueueStore['withScheduleLock'] = (work) =>
      world.space.backend.withScheduleLock(async () => {
        begin();
        await held;
        return work().finally(() => (isCreated = true));
      });
    const stopping = await startWorker(DAY_MS, { ...world.space.backend, withScheduleLock });
    await begun;
    const stopped = stopping.stop({ graceMs: 0 });
    // Everything that a stop closes at once has had time to close.
    await new Promise((resolve) => systemClock.after(300, () => resolve(undefined)));
    goOn();
    await stopped;
    expect(isCreated).toBe(true);
  }, 30_000);

  it('the status of the schedule shows sweeps only, although other jobs are in their queue', async () => {
    await startWorker(DAY_MS);
    await untilSwept(1);
    const { id = '' } = await queue.add('other', {});
    await world.space.untilQueue(async () => expect(await queue.getJobState(id)).toBe('failed'), {
      queue: RETENTION_QUEUE,
    });
    if (kind === 'redis') await spoilJob(queue, id, { data: '{"' });
    const schedule = createScheduleStatus({
      backend: world.space.backend,
      clock: systemClock,
      report: world.space.report,
    });
    const status = await schedule.status();
    await schedule.close();
    expect(status).toMatchObject({ everyMs: DAY_MS, last: { status: 'done' }, lastFailure: null });
  });
});

describe('a Redis that holds a job that cannot be read', () => {
  const world = useQueueWorld('redis');

  it('an unreadable job delays the sweeps only by seconds', async () => {
    const queue = await openRetentionQueue(world.space);
    world.atEnd(() => queue.close());
    const sweeps = countedSweeps();
    const job = await queue.add(SWEEP_JOB, {}, { delay: DAY_MS });
    await spoilJob(queue, job.id ?? '', { opts: 'null' });
    // Promotion does not read the spoilt field.
    await job.promote();
    await world.startSweepWorker(sweeps.sweep, { everyMs: INTERVAL_MS, ensureEveryMs: 100 });
    await sweeps.untilBegun(3, { withinMs: 25_000 });
    expect(world.space.report.of('repaired').join()).toContain('could not be read');
  }, 40_000);
});
