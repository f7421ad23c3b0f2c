import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createJobWaiter } from '../../../src/adapters/bullmq/lookup/wait-for-jobs.js';
import { type CleanupProducer, createCleanupQueue } from '../../../src/adapters/bullmq/producer/cleanup-queue.js';
import { createCleanupWorker } from '../../../src/adapters/bullmq/worker/cleanup-worker.js';
import type { QueueWorker } from '../../../src/adapters/bullmq/worker/queue-worker.js';
import { systemClock } from '../../../src/async/clock.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import type { JobWaiter } from '../../../src/jobs/ports.js';
import {
  completed,
  retryAfter,
  type ScriptedConsumer,
  scripted,
  untilAborted,
  abandonedByQueue,
} from '../../support/queue/queue-scripts.js';
import { type QueueSpace, startStore, STORE_KINDS, type TestStore } from '../../support/queue/queue-stores.js';
import { eventually } from '../../support/eventually.js';

const request = (gameId: string) => ({ gameId, opSource: 'lobby_stream' });

describe.each(STORE_KINDS)('when %s goes away', (kind) => {
  let store: TestStore;
  let space: QueueSpace;
  const closers: (() => Promise<void>)[] = [];

  const workerFor = (consumer: ScriptedConsumer): QueueWorker => {
    const worker = createCleanupWorker({
      backend: space.backend,
      consumer,
      clock: systemClock,
      report: space.report,
      abandoned: abandonedByQueue,
    });
    closers.push(() => worker.stop({ graceMs: 0 }));
    return worker;
  };
  const producer = () => {
    const queue = createCleanupQueue({ backend: space.backend, clock: systemClock, report: space.report });
    closers.push(() => queue.close());
    return queue;
  };
  const endings = (): JobWaiter => {
    const made = createJobWaiter({ backend: space.backend, clock: systemClock, report: space.report });
    closers.push(() => made.close());
    return made;
  };
  const add = async (gameId: string) => (await space.plain.add('cleanup_container', request(gameId))).id ?? '';
  const completedOnes = () => space.plain.getCompletedCount();
  /** A store that is well may take longer than a producer waits, on a machine with much else to do; asking again is safe. */
  const enqueuePatiently = (queue: CleanupProducer, gameId: string) =>
    eventually(() => queue.enqueue([request(gameId)]), { withinMs: 20_000 });

  beforeAll(async () => {
    store = await startStore(kind);
  });
  afterAll(() => store.stop());
  beforeEach(async () => {
    space = await store.space();
  });
  afterEach(async () => {
    store.proxy.thaw();
    await store.proxy.restore();
    await Promise.all(closers.splice(0).map((close) => close()));
    await space.close();
  });

  it('an idle worker recovers by itself and says so once, at the start and at the end', async () => {
    const consumer = scripted();
    await workerFor(consumer).start();
    await add('before');
    await eventually(async () => expect(await completedOnes()).toBe(1));
    await store.proxy.cut();
    await eventually(() => expect(space.report.of('unavailable')).toHaveLength(1));
    await add('meanwhile');
    await store.proxy.restore();
    await eventually(() => expect(space.report.of('recovered')).toHaveLength(1));
    await add('after');
    await eventually(async () => expect(await completedOnes()).toBe(3), { withinMs: 20_000 });
    expect(space.report.lines.length).toBeLessThan(8);
  }, 40_000);

  it('work that ends during the outage is written when it is over, and not run again', async () => {
    let finish = (): void => undefined;
    const consumer = scripted(
      ({ payload }) =>
        new Promise((resolve) => {
          finish = () => resolve(JSON.stringify(payload).includes('retry') ? retryAfter(0) : completed());
        }),
    );
    await workerFor(consumer).start();
    const jobId = await add('game-1');
    await eventually(() => expect(consumer.deliveries).toHaveLength(1));
    await store.proxy.cut();
    await eventually(() => expect(space.report.of('unavailable')).toHaveLength(1));
    finish();
    await store.proxy.restore();
    await eventually(async () => expect(await (await space.plain.getJob(jobId))?.getState()).toBe('completed'), {
      withinMs: 20_000,
    });
    expect(consumer.deliveries).toHaveLength(1);
    expect(await space.plain.getJob(jobId)).toMatchObject({ attemptsStarted: 1, stalledCounter: 0 });
  }, 40_000);

  it('work that ends while the store hangs is written when it answers again', async () => {
    let finish = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const consumer = scripted(async () => {
      await gate;
      return completed();
    });
    await workerFor(consumer).start();
    const queue = producer();
    const jobIds = [await add('game-1'), await add('game-2')];
    await eventually(() => expect(consumer.deliveries).toHaveLength(2));
    store.proxy.freeze();
    finish();
    // Takes its second, twice; the writes of the worker hang meanwhile.
    await expect(queue.counts()).rejects.toBeInstanceOf(UnavailableError);
    await expect(queue.counts()).rejects.toBeInstanceOf(UnavailableError);
    store.proxy.thaw();
    await eventually(async () => expect(await completedOnes()).toBe(jobIds.length), { withinMs: 30_000 });
    expect(consumer.deliveries).toHaveLength(2);
    expect(await space.plain.getFailedCount()).toBe(0);
  }, 60_000);

  it.each(['cut', 'frozen'] as const)(
    'the producer refuses within a second while it is %s, and works afterwards',
    async (how) => {
      const queue = producer();
      await enqueuePatiently(queue, 'before');
      if (how === 'cut') await store.proxy.cut();
      else store.proxy.freeze();
      for (const games of [['game-1'], ['game-1', 'game-2']]) {
        const startedMs = performance.now();
        await expect(queue.enqueue(games.map(request))).rejects.toBeInstanceOf(UnavailableError);
        expect(performance.now() - startedMs).toBeLessThan(2_000);
      }
      if (how === 'cut') await store.proxy.restore();
      else store.proxy.thaw();
      await enqueuePatiently(queue, 'game-1');
      const [again] = await enqueuePatiently(queue, 'game-1');
      expect(again?.coalesced).toBe(true);
      // Whatever the requests that timed out have done, the game has one job.
      const jobs = await space.plain.getJobs(['waiting']);
      expect(jobs.filter(({ data }) => JSON.stringify(data).includes('game-1'))).toHaveLength(1);
    },
    40_000,
  );

  it('a producer and a worker made during the outage work once it is over', async () => {
    await store.proxy.cut();
    const queue = producer();
    await expect(queue.enqueue([request('game-1')])).rejects.toBeInstanceOf(UnavailableError);
    const consumer = scripted();
    const started = workerFor(consumer).start();
    await eventually(() => expect(space.report.of('unavailable').length).toBeGreaterThan(0));
    await store.proxy.restore();
    await started;
    const [answer] = await enqueuePatiently(queue, 'game-1');
    await eventually(async () => expect(await completedOnes()).toBe(1), { withinMs: 20_000 });
    expect(consumer.deliveries.map(({ jobId }) => jobId)).toEqual([answer?.jobId]);
  }, 40_000);

  it('a worker stops in time, with work under way', async () => {
    const consumer = scripted((_delivery, signal) => untilAborted(signal));
    const worker = workerFor(consumer);
    await worker.start();
    await add('game-1');
    await eventually(() => expect(consumer.deliveries).toHaveLength(1));
    await store.proxy.cut();
    const startedMs = performance.now();
    await worker.stop({ graceMs: 200 });
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  }, 30_000);

  it('whoever waits for endings gets those that happened meanwhile', async () => {
    const waits = endings();
    const jobIds = [await add('game-1'), await add('game-2')];
    const told: string[] = [];
    const waited = waits.wait(
      jobIds,
      ({ jobId, state }) => void told.push(`${jobId} ${state}`),
      new AbortController().signal,
    );
    await store.proxy.cut();
    await endDirectly(space, jobIds);
    await store.proxy.restore();
    await waited;
    expect(told.sort()).toEqual(jobIds.map((jobId) => `${jobId} completed`).sort());
  }, 40_000);
});

/** Completes the jobs past the proxy, the way a worker elsewhere would. */
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
  await eventually(async () => expect(await space.plain.getCompletedCount()).toBe(jobIds.length));
  await worker.close();
}
