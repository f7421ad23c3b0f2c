/** Stores that fail in other ways than a refused connection, after which BullMQ itself repeats its request without a pause. */
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { completed, scripted } from '../../support/queue/queue-scripts.js';
import { useQueueWorld } from '../../support/queue/queue-world.js';
import type { Until } from '../../support/changes.js';
import { eventually } from '../../support/eventually.js';

/** How long it takes until `count` has grown by `more`; a worker that does not wait takes hardly any time. */
const msUntil = async (count: () => number | Promise<number>, more: number, until: Until): Promise<number> => {
  const before = await count();
  const startedMs = performance.now();
  await until(async () => expect((await count()) - before).toBeGreaterThanOrEqual(more), { withinMs: 60_000 });
  return performance.now() - startedMs;
};

describe('a proxy before PostgreSQL that closes the connections it accepts', () => {
  const world = useQueueWorld('postgres');
  const { add, untilCompleted, startCleanupWorker: work } = world;
  const msUntilConnections = (more: number) =>
    msUntil(world.store.proxy.accepted, more, world.store.proxy.untilAccepted);

  it('a worker with a running job waits between two attempts to connect, and recovers soon', async () => {
    // Neither the job's outcome nor the next claim can be written, and the worker does not know that the queue is empty.
    const consumer = scripted(({ run }) => {
      if (run > 1) return completed();
      world.store.proxy.closeAccepted();
      throw new Error('the work broke');
    });
    await add('game-1');
    await work(consumer, { concurrency: 1 });
    await consumer.delivered(1);
    expect(await msUntilConnections(12)).toBeGreaterThan(2_000);
    await world.store.proxy.restore();
    await untilCompleted(1, { withinMs: 20_000 });
    expect(consumer.deliveries).toHaveLength(2);
  }, 90_000);

  it('an idle worker waits between two attempts to connect, and soon takes the job that was added meanwhile', async () => {
    const consumer = scripted();
    await work(consumer);
    await add('before');
    await untilCompleted(1);
    world.store.proxy.closeAccepted();
    await add('meanwhile');
    expect(await msUntilConnections(12)).toBeGreaterThan(2_000);
    await world.store.proxy.restore();
    await untilCompleted(2);
    expect(consumer.deliveries).toHaveLength(2);
  }, 90_000);

  it('a worker that waits for the store stops at once', async () => {
    const resting = await work(scripted());
    world.store.proxy.closeAccepted();
    await msUntilConnections(5);
    const startedMs = performance.now();
    await resting.stop({ graceMs: 10_000 });
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  }, 90_000);
});

describe('a Redis that is full', () => {
  const world = useQueueWorld('redis');
  const { add, untilCompleted, startCleanupWorker: work } = world;
  let direct: Redis;
  beforeEach(() => {
    direct = new Redis(world.space.env['REDIS_URL'] ?? '');
  });
  afterEach(async () => {
    await direct.config('SET', 'maxmemory', '0');
    direct.disconnect();
  });
  const refusals = async (): Promise<number> => {
    const [, count] = /^cmdstat_evalsha:.*failed_calls=(\d+)/m.exec(await direct.info('commandstats')) ?? [];
    return Number(count ?? 0);
  };

  it('a worker on a full Redis waits between two claims, reports one outage, and takes the job once Redis has room', async () => {
    await add('game-1');
    await direct.config('SET', 'maxmemory', '1');
    const consumer = scripted();
    const [restedMs] = await Promise.all([msUntil(refusals, 5, eventually), work(consumer)]);
    expect(restedMs).toBeGreaterThan(2_000);
    expect(world.space.report.of('recovered')).toEqual([]);
    await direct.config('SET', 'maxmemory', '0');
    await untilCompleted(1);
    expect(consumer.deliveries).toHaveLength(1);
    await world.space.report.until(() => expect(world.space.report.of('recovered')).toHaveLength(1));
    expect(world.space.report.of('unavailable')).toHaveLength(1);
  }, 90_000);
});
