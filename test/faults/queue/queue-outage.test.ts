import { describe, expect, it } from 'vitest';
import { createJobWaiter } from '../../../src/adapters/bullmq/lookup/wait-for-jobs.js';
import { type CleanupProducer, createCleanupQueue } from '../../../src/adapters/bullmq/producer/cleanup-queue.js';
import { systemClock } from '../../../src/async/clock.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import type { JobWaiter } from '../../../src/jobs/ports.js';
import { completed, scripted, untilAborted } from '../../support/queue/queue-scripts.js';
import { type QueueSpace, STORE_KINDS } from '../../support/queue/queue-stores.js';
import { requestFor, useQueueWorld } from '../../support/queue/queue-world.js';
import { eventually } from '../../support/eventually.js';

describe.each(STORE_KINDS)('an outage of %s', (kind) => {
  const world = useQueueWorld(kind);
  const { add, interrupt, restore, untilCompleted } = world;
  const untilReported = (kind: 'unavailable' | 'recovered'): Promise<void> =>
    world.space.report.until(() => expect(world.space.report.of(kind)).toHaveLength(1));
  const producer = () => {
    const queue = createCleanupQueue({ backend: world.space.backend, clock: systemClock, report: world.space.report });
    world.atEnd(() => queue.close());
    return queue;
  };
  const jobWaiter = (): JobWaiter => {
    const made = createJobWaiter({ backend: world.space.backend, clock: systemClock, report: world.space.report });
    world.atEnd(() => made.close());
    return made;
  };
  /** On a busy machine a store may take longer than the producer's limit although it works; a repetition is safe. */
  const enqueuePatiently = (queue: CleanupProducer, gameId: string) =>
    eventually(() => queue.enqueue([requestFor(gameId)]), { withinMs: 20_000 });

  it('an idle worker recovers by itself, and reports the outage once at its start and once at its end', async () => {
    const consumer = scripted();
    await world.startCleanupWorker(consumer);
    await add('before');
    await untilCompleted(1);
    await world.store.proxy.cut();
    await untilReported('unavailable');
    await add('meanwhile');
    await world.store.proxy.restore();
    await untilReported('recovered');
    await add('after');
    await untilCompleted(3, { withinMs: 20_000 });
    expect(world.space.report.lines.length).toBeLessThan(8);
  }, 40_000);

  it('the outcome of work that ends during the outage is written afterwards, and the work does not run again', async () => {
    let finish = (): void => undefined;
    const consumer = scripted(() => new Promise((resolve) => (finish = () => resolve(completed()))));
    await world.startCleanupWorker(consumer);
    const jobId = await add('game-1');
    await consumer.delivered(1);
    await world.store.proxy.cut();
    await untilReported('unavailable');
    finish();
    await world.store.proxy.restore();
    await world.untilState(jobId, 'completed', { withinMs: 20_000 });
    expect(consumer.deliveries).toHaveLength(1);
    expect(await world.space.plain.getJob(jobId)).toMatchObject({ attemptsStarted: 1, stalledCounter: 0 });
  }, 40_000);

  it('the outcome of work that ends while the store hangs is written when it answers again', async () => {
    let finish = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const consumer = scripted(async () => {
      await gate;
      return completed();
    });
    await world.startCleanupWorker(consumer);
    const queue = producer();
    const jobIds = [await add('game-1'), await add('game-2')];
    await consumer.delivered(2);
    world.store.proxy.freeze();
    finish();
    // Each call takes its limit of one second; meanwhile the writes of the worker hang.
    await expect(queue.counts()).rejects.toBeInstanceOf(UnavailableError);
    await expect(queue.counts()).rejects.toBeInstanceOf(UnavailableError);
    world.store.proxy.thaw();
    await untilCompleted(jobIds.length, { withinMs: 30_000 });
    expect(consumer.deliveries).toHaveLength(2);
    expect(await world.space.plain.getFailedCount()).toBe(0);
  }, 60_000);

  it.each(['cut', 'frozen'] as const)(
    'the producer refuses requests within a second while the store is %s, and works afterwards',
    async (how) => {
      const queue = producer();
      await enqueuePatiently(queue, 'before');
      await interrupt(how);
      for (const games of [['game-1'], ['game-1', 'game-2']]) {
        const startedMs = performance.now();
        await expect(queue.enqueue(games.map(requestFor))).rejects.toBeInstanceOf(UnavailableError);
        expect(performance.now() - startedMs).toBeLessThan(2_000);
      }
      await restore();
      await enqueuePatiently(queue, 'game-1');
      const [again] = await enqueuePatiently(queue, 'game-1');
      expect(again?.coalesced).toBe(true);
      // The requests that timed out may have been carried out; the game has one job in any case.
      const jobs = await world.space.plain.getJobs(['waiting']);
      expect(jobs.filter(({ data }) => JSON.stringify(data).includes('game-1'))).toHaveLength(1);
    },
    40_000,
  );

  it('a producer and a worker created during the outage work once it is over', async () => {
    await world.store.proxy.cut();
    const queue = producer();
    await expect(queue.enqueue([requestFor('game-1')])).rejects.toBeInstanceOf(UnavailableError);
    const consumer = scripted();
    const started = world.cleanupWorker(consumer).start();
    await world.space.report.until(() => expect(world.space.report.of('unavailable')).not.toEqual([]));
    await world.store.proxy.restore();
    await started;
    const [answer] = await enqueuePatiently(queue, 'game-1');
    await untilCompleted(1, { withinMs: 20_000 });
    expect(consumer.deliveries.map(({ jobId }) => jobId)).toEqual([answer?.jobId]);
  }, 40_000);

  it('a worker with running work stops within its limit although the store is unavailable', async () => {
    const consumer = scripted((_delivery, signal) => untilAborted(signal));
    const worker = world.cleanupWorker(consumer);
    await worker.start();
    await add('game-1');
    await consumer.delivered(1);
    await world.store.proxy.cut();
    const startedMs = performance.now();
    await worker.stop({ graceMs: 200 });
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  }, 30_000);

  it('a wait for jobs gets the results of jobs that ended during the outage', async () => {
    const waits = jobWaiter();
    const jobIds = [await add('game-1'), await add('game-2')];
    const results: string[] = [];
    const waited = waits.wait(
      jobIds,
      ({ jobId, state }) => void results.push(`${jobId} ${state}`),
      new AbortController().signal,
    );
    await world.store.proxy.cut();
    await endDirectly(world.space, jobIds);
    await world.store.proxy.restore();
    await waited;
    expect(results.sort()).toEqual(jobIds.map((jobId) => `${jobId} completed`).sort());
  }, 40_000);
});

/** Completes the jobs past the proxy, as a worker on another host does. */
async function endDirectly(space: QueueSpace, jobIds: readonly string[]): Promise<void> {
  const { Worker, createPostgresBackend } = await import('bullmq');
  const { env } = space;
  const result = { outcome: 'success', errorCode: '', errorMessage: '', record: null };
  const processor = async (): Promise<typeof result> => result;
  const worker =
    env['REDIS_URL'] === undefined
      ? new Worker(
          'runtime-cleanup',
          processor,
          { connection: { connectionString: env['DATABASE_URL'] ?? '', schema: env['QUEUE_SPACE'] ?? '' } },
          createPostgresBackend,
        )
      : new Worker('runtime-cleanup', processor, {
          connection: { url: env['REDIS_URL'] },
          prefix: env['QUEUE_SPACE'] ?? '',
        });
  worker.on('error', () => undefined);
  await space.untilQueue(async () => expect(await space.plain.getCompletedCount()).toBe(jobIds.length));
  await worker.close();
}
