/** Stores that refuse in other ways than a refused connection, after which BullMQ itself would ask again without a pause. */
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WorkerSettings } from '../../../src/adapters/bullmq/store/queue-store.js';
import { createCleanupWorker } from '../../../src/adapters/bullmq/worker/cleanup-worker.js';
import type { QueueWorker } from '../../../src/adapters/bullmq/worker/queue-worker.js';
import { systemClock } from '../../../src/async/clock.js';
import { completed, abandonedByQueue, type ScriptedConsumer, scripted } from '../../support/queue/queue-scripts.js';
import { type QueueSpace, startStore, type StoreKind, type TestStore } from '../../support/queue/queue-stores.js';
import { eventually } from '../../support/eventually.js';

let store: TestStore;
let space: QueueSpace;
let worker: QueueWorker | undefined;

const withStore = (kind: StoreKind): void => {
  beforeAll(async () => {
    store = await startStore(kind);
  });
  afterAll(() => store.stop());
  beforeEach(async () => {
    space = await store.space();
    worker = undefined;
  });
  afterEach(async () => {
    await store.proxy.restore();
    await worker?.stop({ graceMs: 0 });
    await space.close();
  });
};

const work = async (consumer: ScriptedConsumer, settings: Partial<WorkerSettings> = {}): Promise<QueueWorker> => {
  const deps = {
    backend: space.backend,
    consumer,
    clock: systemClock,
    report: space.report,
    abandoned: abandonedByQueue,
  };
  worker = createCleanupWorker(deps, settings);
  await worker.start();
  return worker;
};
const add = (gameId: string) => space.plain.add('cleanup_container', { gameId, opSource: 'lobby_stream' });
const completedOnes = () => space.plain.getCompletedCount();

/** How long it takes until `count` has grown by so much; a worker that does not rest takes no time at all. */
const msUntil = async (count: () => number | Promise<number>, more: number): Promise<number> => {
  const before = await count();
  const startedMs = performance.now();
  const grown = async (): Promise<void> => expect((await count()) - before).toBeGreaterThanOrEqual(more);
  await eventually(grown, { withinMs: 60_000 });
  return performance.now() - startedMs;
};

describe('behind a proxy that closes what it has accepted, on PostgreSQL,', () => {
  withStore('postgres');
  const knocks = () => store.proxy.accepted();

  it('a worker that was at work rests between two tries, and is back soon', async () => {
    // Neither the job's ending nor the next claim can be written, and nothing has told the worker of an empty queue.
    const consumer = scripted(({ run }) => {
      if (run > 1) return completed();
      store.proxy.spurn();
      throw new Error('the work broke');
    });
    await add('game-1');
    await work(consumer, { concurrency: 1 });
    await eventually(() => expect(consumer.deliveries).toHaveLength(1));
    expect(await msUntil(knocks, 12)).toBeGreaterThan(2_000);
    await store.proxy.restore();
    await eventually(async () => expect(await completedOnes()).toBe(1), { withinMs: 20_000 });
    expect(consumer.deliveries).toHaveLength(2);
  }, 90_000);

  it('a worker that waits for jobs rests between two tries, and takes what came meanwhile soon', async () => {
    const consumer = scripted();
    await work(consumer);
    await add('before');
    await eventually(async () => expect(await completedOnes()).toBe(1));
    store.proxy.spurn();
    await add('meanwhile');
    expect(await msUntil(knocks, 12)).toBeGreaterThan(2_000);
    await store.proxy.restore();
    await eventually(async () => expect(await completedOnes()).toBe(2));
    expect(consumer.deliveries).toHaveLength(2);
  }, 90_000);

  it('a worker that rests stops at once', async () => {
    const resting = await work(scripted());
    store.proxy.spurn();
    await msUntil(knocks, 5);
    const startedMs = performance.now();
    await resting.stop({ graceMs: 10_000 });
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  }, 90_000);
});

describe('on a Redis that is full', () => {
  withStore('redis');
  let direct: Redis;
  beforeEach(() => {
    direct = new Redis(space.env['REDIS_URL'] ?? '');
  });
  afterEach(async () => {
    await direct.config('SET', 'maxmemory', '0');
    direct.disconnect();
  });
  const refusals = async (): Promise<number> => {
    const [, count] = /^cmdstat_evalsha:.*failed_calls=(\d+)/m.exec(await direct.info('commandstats')) ?? [];
    return Number(count ?? 0);
  };

  it('a worker rests between two claims, tells of one outage, and takes the job once there is room', async () => {
    await add('game-1');
    await direct.config('SET', 'maxmemory', '1');
    const consumer = scripted();
    const [restedMs] = await Promise.all([msUntil(refusals, 5), work(consumer)]);
    expect(restedMs).toBeGreaterThan(2_000);
    expect(space.report.of('recovered')).toEqual([]);
    await direct.config('SET', 'maxmemory', '0');
    await eventually(async () => expect(await completedOnes()).toBe(1));
    expect(consumer.deliveries).toHaveLength(1);
    await eventually(() => expect(space.report.of('recovered')).toHaveLength(1));
    expect(space.report.of('unavailable')).toHaveLength(1);
  }, 90_000);
});
