import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRedis, untilReady } from '../../../src/adapters/redis/connection.js';
import { checkRedisServer, type RedisServerQuestions } from '../../../src/adapters/redis/server-check.js';
import { ConfigurationError, UnavailableError } from '../../../src/domain/errors.js';
import { startRedis, type TestRedis } from '../../support/redis.js';

let server: TestRedis;
let redis: ReturnType<typeof createRedis>;

const connect = async (url: string): Promise<ReturnType<typeof createRedis>> => {
  const client = createRedis({ url, role: 'commands', onError: () => undefined });
  await untilReady(client, 5_000, new AbortController().signal);
  return client;
};

beforeAll(async () => {
  server = await startRedis();
  redis = await connect(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

describe('the check of a Redis server', () => {
  test('the check accepts a Redis that never evicts, and returns its version and policy', async () => {
    await redis.config('SET', 'maxmemory-policy', 'noeviction');
    expect(await checkRedisServer(redis)).toEqual({
      version: expect.stringMatching(/^\d+\.\d+/) as string,
      maxmemoryPolicy: 'noeviction',
    });
  });

  test.each([
    'allkeys-lru',
    'allkeys-lfu',
    'allkeys-random',
    'volatile-lru',
    'volatile-lfu',
    'volatile-random',
    'volatile-ttl',
  ])('the check refuses %s, and says how to set noeviction', async (policy) => {
    await redis.config('SET', 'maxmemory-policy', policy);
    await expect(checkRedisServer(redis)).rejects.toBeInstanceOf(ConfigurationError);
    await expect(checkRedisServer(redis)).rejects.toThrow(
      new RegExp(`maxmemory-policy ${policy}; allowed: noeviction.*CONFIG SET maxmemory-policy noeviction`),
    );
  });

  test('the check refuses a replica as unavailable, and names its primary', async () => {
    await redis.replicaof('127.0.0.1', 1);
    await expect(checkRedisServer(redis)).rejects.toThrow(UnavailableError);
    await expect(checkRedisServer(redis)).rejects.toThrow(/READONLY .* replica of 127\.0\.0\.1:1$/);
    await redis.replicaof('NO', 'ONE');
  });

  test('the check refuses a Redis that was started with an evicting policy', async () => {
    const evicting = await startRedis({ maxmemoryPolicy: 'allkeys-lru' });
    const client = await connect(evicting.url);
    try {
      await expect(checkRedisServer(client)).rejects.toThrow(/allkeys-lru/);
    } finally {
      client.disconnect();
      await evicting.stop();
    }
  });

  test('the check works where CONFIG is forbidden', async () => {
    await redis.call('ACL', 'SETUSER', 'guest', 'on', '>secret', '~*', '+@all', '-config');
    const url = new URL(server.url);
    url.username = 'guest';
    url.password = 'secret';
    const guest = await connect(url.href);
    try {
      await expect(guest.config('GET', 'maxmemory-policy')).rejects.toThrow(/NOPERM/);
      await redis.config('SET', 'maxmemory-policy', 'volatile-lru');
      await expect(checkRedisServer(guest)).rejects.toThrow(/volatile-lru/);
      await redis.config('SET', 'maxmemory-policy', 'noeviction');
      expect((await checkRedisServer(guest)).maxmemoryPolicy).toBe('noeviction');
    } finally {
      guest.disconnect();
    }
  });

  test('the check rejects as unavailable when Redis cannot be asked', async () => {
    const client = await connect(server.url);
    client.disconnect();
    await expect(checkRedisServer(client)).rejects.toBeInstanceOf(UnavailableError);
  });
});

// These answers do not come from the server of the tests.
describe('the check of a server that answers', () => {
  const saying = (info: string, config: () => Promise<unknown> = async () => []): RedisServerQuestions => ({
    info: async () => info,
    hello: async () => [],
    config: (_get, _name) => config(),
  });
  const KNOWN = 'redis_version:7.4.1\r\n';

  test.each(['5.0.14', '6.0.16', '6.1', ''])('the check refuses version "%s"', async (version) => {
    const server = saying(`# Server\r\nredis_version:${version}\r\nmaxmemory_policy:noeviction\r\n`);
    await expect(checkRedisServer(server)).rejects.toThrow(ConfigurationError);
    await expect(checkRedisServer(server)).rejects.toThrow(/allowed: 6\.2\.0 or newer/);
  });

  test.each(['6.2.0', '6.2', '6.10.1', '7.0.0-rc1', '255.255.255'])(
    'the check accepts version "%s"',
    async (version) => {
      const facts = await checkRedisServer(saying(`redis_version:${version}\r\nmaxmemory_policy:noeviction\r\n`));
      expect(facts.version).toBe(version);
    },
  );

  test('the check asks CONFIG when INFO has no policy', async () => {
    const evicting = saying(KNOWN, async () => ['maxmemory-policy', 'allkeys-lru']);
    await expect(checkRedisServer(evicting)).rejects.toThrow(/allkeys-lru/);
    const safe = saying(KNOWN, async () => ['maxmemory-policy', 'noeviction']);
    expect((await checkRedisServer(safe)).maxmemoryPolicy).toBe('noeviction');
  });

  test.each(["NOPERM this user has no permissions to run the 'config|get' command", "ERR unknown command 'CONFIG'"])(
    'the check accepts a server that hides its policy (%s)',
    async (text) => {
      const server = saying(KNOWN, () => Promise.reject(new Error(text)));
      expect(await checkRedisServer(server)).toEqual({ version: '7.4.1', maxmemoryPolicy: undefined });
    },
  );

  test('the check takes the version from HELLO where INFO is forbidden', async () => {
    const forbidden = Promise.reject(new Error("NOPERM this user has no permissions to run the 'info' command"));
    const asked = {
      ...saying('', async () => ['maxmemory-policy', 'noeviction']),
      info: () => forbidden,
      hello: async () => ['server', 'redis', 'version', '7.0.15', 'role', 'master'],
    };
    expect(await checkRedisServer(asked)).toEqual({ version: '7.0.15', maxmemoryPolicy: 'noeviction' });
    await expect(checkRedisServer({ ...asked, hello: async () => [] })).rejects.toThrow(/version unknown/);
  });

  test('the check rejects as unavailable when CONFIG does not answer', async () => {
    const server = saying(KNOWN, () => Promise.reject(new Error('Command timed out')));
    await expect(checkRedisServer(server)).rejects.toBeInstanceOf(UnavailableError);
  });
});
