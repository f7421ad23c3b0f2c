import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRedis, untilReady } from '../../../src/adapters/redis/connection.js';
import { createRedisLeaseStore } from '../../../src/adapters/redis/lease-store.js';
import { systemClock } from '../../../src/async/clock.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import { createLeases } from '../../../src/lease/with-lease.js';
import { newLeaseToken } from '../../../src/app/random.js';
import { eventually } from '../../support/eventually.js';
import { startRedis, type TestRedis } from '../../support/redis.js';

let server: TestRedis;
let redis: ReturnType<typeof createRedis>;
beforeEach(async () => {
  server = await startRedis();
  redis = createRedis({ url: server.url, role: 'commands', onError: () => undefined });
  await untilReady(redis, 5_000, new AbortController().signal);
});
afterEach(async () => {
  redis.disconnect();
  await server.stop();
});

const leasesOn = (store = createRedisLeaseStore({ redis })) =>
  createLeases(
    { store, clock: systemClock, newToken: newLeaseToken, releaseFailed: () => undefined },
    { ttlMs: 2_000, releaseTimeoutMs: 300 },
  );

const { signal } = new AbortController();

test('a lease is lost in time when Redis freezes during the work, and is free again after the thaw', async () => {
  const ending = await leasesOn().withLease('game', signal, async (lease) => {
    server.freeze();
    await new Promise((resolve) => lease.signal.addEventListener('abort', resolve, { once: true }));
    lease.assertHeld();
  });
  expect(ending.status).toBe('lost');
  server.thaw();
  await eventually(async () => {
    expect(await leasesOn().withLease('game', signal, async () => 'next')).toEqual({ status: 'done', value: 'next' });
  });
});

test('a lease is lost when Redis comes back empty, and the next renewal aborts the work', async () => {
  const ending = await leasesOn().withLease('game', signal, async (lease) => {
    await server.restart();
    await new Promise((resolve) => lease.signal.addEventListener('abort', resolve, { once: true }));
    lease.assertHeld();
  });
  expect(ending).toMatchObject({ status: 'lost' });
});

test.each([
  ['a replica', ['replicaof', '127.0.0.1', '1'], /READONLY/],
  ['full', ['config', 'set', 'maxmemory', '1'], /OOM/],
] as const)(
  'a lease is unavailable when Redis is %s, and the error states the reason',
  async (_what, [command, ...args], why) => {
    await redis.call(command, ...args);
    const store = createRedisLeaseStore({ redis });
    await expect(store.acquire('game', newLeaseToken(), 2_000)).rejects.toThrow(why);
    await expect(store.acquire('game', newLeaseToken(), 2_000)).rejects.toBeInstanceOf(UnavailableError);
  },
);

test('a lease is unavailable when its key holds another type, and the key is not changed', async () => {
  await redis.lpush('rtmanager:game_lease:Zw', 'what is this');
  const store = createRedisLeaseStore({ redis });
  await expect(store.renew('g', newLeaseToken(), 2_000)).rejects.toThrow(/WRONGTYPE/);
  await expect(store.release('g', newLeaseToken())).rejects.toBeInstanceOf(UnavailableError);
  expect(await store.acquire('g', newLeaseToken(), 2_000)).toBe(false);
  expect(await redis.type('rtmanager:game_lease:Zw')).toBe('list');
});
