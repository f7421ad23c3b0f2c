import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createRedis, type RedisClient, untilReady } from '../../../src/adapters/redis/connection.js';
import { explainUnready } from '../../../src/adapters/redis/explain-unready.js';
import { createRedisLeaseAudit } from '../../../src/adapters/redis/lease-audit.js';
import { createRedisLeaseStore, leaseKey } from '../../../src/adapters/redis/lease-store.js';
import { checkRedis } from '../../../src/adapters/redis/server-check.js';
import { ConfigurationError, UnavailableError } from '../../../src/domain/errors.js';
import { parseRedisAddress } from '../../../src/domain/redis-address.js';
import { eventually } from '../../support/eventually.js';
import { startRedisCluster, type TestCluster } from '../../support/redis/cluster.js';
import { startRedisSentinels, type TestSentinels } from '../../support/redis/sentinels.js';

let cluster: TestCluster;
let sentinels: TestSentinels;
const clients: RedisClient[] = [];

beforeAll(async () => {
  [cluster, sentinels] = await Promise.all([startRedisCluster({ replicas: 0 }), startRedisSentinels()]);
});
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});
afterAll(() => Promise.all([cluster.stop(), sentinels.stop()]));

async function connected(url: string): Promise<RedisClient> {
  const client = createRedis({ url, role: 'commands', onError: () => undefined });
  clients.push(client);
  await untilReady(client, 5_000, new AbortController().signal);
  return client;
}

const GAMES = Array.from({ length: 40 }, (_, index) => `game-${index}`);

describe('game leases on a cluster', () => {
  test('leases are kept on all masters, each is exclusive, and the audit lists every one', async () => {
    const redis = await connected(cluster.url);
    const store = createRedisLeaseStore({ redis });
    const acquired = await Promise.all(GAMES.map((game) => store.acquire(game, 'token', 60_000)));
    expect(new Set(acquired)).toEqual(new Set([true]));
    expect(await store.acquire('game-7', 'other', 60_000)).toBe(false);
    expect(await store.renew('game-7', 'other', 60_000)).toBe(false);
    expect(await store.renew('game-7', 'token', 60_000)).toBe(true);

    const audit = createRedisLeaseAudit(redis);
    const listed: (string | null)[] = [];
    let after: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof audit.page>> = await audit.page(after);
      listed.push(...page.leases.map(({ gameId }) => gameId));
      after = page.next;
    } while (after !== null);
    expect(listed).toHaveLength(GAMES.length);
    expect(new Set(listed)).toEqual(new Set(GAMES));

    const released = await Promise.all(GAMES.map((game) => store.release(game, 'token')));
    expect(new Set(released)).toEqual(new Set([true]));
  });

  test('an acquisition whose connection broke is refused, and not sent again', async () => {
    const redis = await connected(cluster.url);
    const store = createRedisLeaseStore({ redis });
    await cluster.onEachNode('CLIENT', 'PAUSE', '60000', 'WRITE');
    const acquiring = store.acquire('broken', 'token', 60_000);
    acquiring.catch(() => undefined);
    await cluster.onEachNode('PING');
    await cluster.onEachNode('CLIENT', 'KILL', 'TYPE', 'normal');
    await expect(acquiring).rejects.toThrow(UnavailableError);
    await cluster.onEachNode('CLIENT', 'UNPAUSE');
    await eventually(async () => expect(await store.acquire('after', 'token', 1_000)).toBe(true));
    await eventually(async () => expect(await redis.exists(leaseKey('broken'))).toBe(0));
  });
});

describe('the check of the servers', () => {
  test('a cluster is accepted with its version and policy', async () => {
    expect(await checkRedis(await connected(cluster.url))).toEqual({
      version: expect.stringMatching(/^\d+\.\d+/) as string,
      maxmemoryPolicy: 'noeviction',
    });
  });

  test('a cluster with masters that may evict keys is refused with the name of one', async () => {
    const redis = await connected(cluster.url);
    await cluster.onEachNode('CONFIG', 'SET', 'maxmemory-policy', 'volatile-lru');
    await expect(checkRedis(redis)).rejects.toThrow(/^127\.0\.0\.1:\d+: Redis has maxmemory-policy volatile-lru/);
    await cluster.onEachNode('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  });

  test('the master behind sentinels is accepted', async () => {
    expect(await checkRedis(await connected(sentinels.url))).toMatchObject({ maxmemoryPolicy: 'noeviction' });
  });

  test.each([
    ['a node of a cluster', () => cluster.nodeUrl, /a node of a Redis Cluster.*write redis-cluster:\/\//],
    ['a sentinel', () => sentinels.sentinelUrl, /a sentinel.*watches: cleanup-master.*write redis-sentinel:\/\//],
  ])('redis:// at %s is refused with the form to write', async (_name, urlOf, text) => {
    const refused = checkRedis(await connected(urlOf()));
    await expect(refused).rejects.toThrow(ConfigurationError);
    await expect(refused).rejects.toThrow(text);
  });
});

describe('an address that does not fit its servers', () => {
  async function explained(url: string): Promise<Error | undefined> {
    const address = parseRedisAddress(url);
    if (address.kind !== 'cluster' && address.kind !== 'sentinel') throw new Error(`${url} names one server`);
    return explainUnready(address);
  }
  const hostOf = (url: string): string => new URL(url).host;

  test.each([
    [
      'redis-cluster:// at one server',
      async () => `redis-cluster://${hostOf(await sentinels.masterUrl())}`,
      /single Redis/,
    ],
    ['redis-cluster:// at a sentinel', async () => `redis-cluster://${hostOf(sentinels.sentinelUrl)}`, /is a sentinel/],
    [
      'redis-sentinel:// at one server',
      async () => `redis-sentinel://${hostOf(await sentinels.masterUrl())}#x`,
      /single Redis/,
    ],
    [
      'redis-sentinel:// at a node',
      async () => `redis-sentinel://${hostOf(cluster.nodeUrl)}#x`,
      /node of a Redis Cluster/,
    ],
    ['an unknown master', async () => sentinels.urlOf('unknown'), /no master named "unknown".*#cleanup-master/],
  ])('%s is refused with the cure', async (_name, urlOf, text) => {
    const error = await explained(await urlOf());
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error?.message).toMatch(text);
  });

  test('an address that fits, and one where no server answers, are not refused', async () => {
    expect(await explained(sentinels.url)).toBeUndefined();
    expect(await explained('redis-cluster://127.0.0.1:1')).toBeUndefined();
  });
});
