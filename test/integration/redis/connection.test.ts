import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRedis, untilReady } from '../../../src/adapters/redis/connection.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import { startRedis, type TestRedis } from '../../support/redis.js';
import { startTcpFaultProxy, type TcpFaultProxy } from '../../support/network/tcp-fault-proxy.js';

type Client = ReturnType<typeof createRedis>;

let server: TestRedis;
let proxy: TcpFaultProxy;
const clients: Client[] = [];
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());
beforeEach(async () => {
  proxy = await startTcpFaultProxy({ port: server.port });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  await proxy.close();
});

const never = new AbortController().signal;

function connect(role: 'commands' | 'blocking', onError: (error: Error) => void = () => undefined): Client {
  const client = createRedis({ url: proxy.urlFor(server.url), role, onError });
  clients.push(client);
  return client;
}

async function connected(role: 'commands' | 'blocking', onError?: (error: Error) => void): Promise<Client> {
  const client = connect(role, onError);
  await untilReady(client, 5_000, never);
  return client;
}

/** Resolves when the client has emitted this event so many times from now on. */
const emitted = (redis: Client, event: 'close' | 'reconnecting', times = 1): Promise<void> =>
  new Promise((resolve) => {
    let left = times;
    redis.on(event, () => {
      left -= 1;
      if (left === 0) resolve();
    });
  });

/** A connection that does not go through the proxy. */
async function connectedDirectly(): Promise<Client> {
  const direct = createRedis({ url: server.url, role: 'commands', onError: () => undefined });
  clients.push(direct);
  await untilReady(direct, 5_000, never);
  return direct;
}

describe('a connection for commands', () => {
  test('a connection for commands refuses a command at once while it is not connected', async () => {
    const redis = await connected('commands');
    const closed = emitted(redis, 'close');
    await proxy.use('refuse');
    await closed;
    const startedAtMs = performance.now();
    await expect(redis.ping()).rejects.toThrow(/writeable/);
    expect(performance.now() - startedAtMs).toBeLessThan(900);
  });

  test('a connection for commands gives up a command after about a second when the server is silent', async () => {
    const redis = await connected('commands');
    await proxy.use('blackhole');
    const startedAtMs = performance.now();
    await expect(redis.ping()).rejects.toThrow(/timed out/);
    const tookMs = performance.now() - startedAtMs;
    expect(tookMs).toBeGreaterThan(900);
    expect(tookMs).toBeLessThan(3_000);
  });

  test('a connection for commands never sends a command twice, and refuses what was under way when it broke', async () => {
    const redis = await connected('commands');
    const direct = await connectedDirectly();
    // The command gets through, its answer does not.
    proxy.setLatency(50);
    const answer = redis.rpush('sent', 'once');
    expect(await direct.blmove('sent', 'received', 'LEFT', 'RIGHT', 0)).toBe('once');
    proxy.resetConnections();
    await expect(answer).rejects.toThrow(/max retries per request/);
    proxy.setLatency(0);
    await untilReady(redis, 5_000, never);
    await redis.ping();
    expect(await direct.llen('sent')).toBe(0);
  });

  test('a connection for commands closes when the server falls silent, and reconnects', async () => {
    const redis = await connected('commands');
    const closed = emitted(redis, 'close');
    await proxy.use('blackhole');
    await expect(redis.ping()).rejects.toThrow(/timed out/);
    await closed;
    await proxy.use('pass');
    await untilReady(redis, 10_000, never);
    expect(await redis.ping()).toBe('PONG');
  });
});

describe('a connection for queue consumers', () => {
  test('a connection for queue consumers keeps a waiting command through an outage and sends it again', async () => {
    const redis = await connected('blocking');
    const monitor = await new Redis(server.url).monitor();
    const carriedOut = new Promise<unknown>((resolve) =>
      monitor.on('monitor', (_time: string, command: string[]) => {
        if (command[0]?.toLowerCase() === 'blpop') resolve(command[1]);
      }),
    );
    const popped = redis.blpop('list', 0);
    expect(await carriedOut).toBe('list');
    monitor.disconnect();
    const reconnecting = emitted(redis, 'reconnecting');
    await proxy.use('refuse');
    await reconnecting;
    await proxy.use('pass');
    await untilReady(redis, 5_000, never);
    const other = await connected('commands');
    await other.rpush('list', 'job');
    expect(await popped).toEqual(['list', 'job']);
  });
});

describe.each(['commands', 'blocking'] as const)('a connection for %s', (role) => {
  test(`a connection for ${role} is back three seconds after the server at the latest, however long the outage was`, async () => {
    const redis = await connected(role);
    // By the sixth attempt the pause between two attempts has grown to its limit.
    const attempts = emitted(redis, 'reconnecting', 7);
    await proxy.use('refuse');
    await attempts;
    await proxy.use('pass');
    const backAtMs = performance.now();
    await untilReady(redis, 5_000, never);
    expect(performance.now() - backAtMs).toBeLessThan(3_000);
  });

  test(`a connection for ${role} reports each outage once, not at each attempt`, async () => {
    const reported: string[] = [];
    const redis = await connected(role, (error) => reported.push(error.message));
    for (let outage = 1; outage <= 2; outage += 1) {
      const attempts = emitted(redis, 'reconnecting', 4);
      await proxy.use('refuse');
      await attempts;
      expect(reported.filter((text) => text.includes('ECONNREFUSED'))).toHaveLength(outage);
      await proxy.use('pass');
      await untilReady(redis, 5_000, never);
    }
  });
});

describe('waiting until Redis is ready', () => {
  test('the wait for Redis ends at once when Redis is ready', async () => {
    const redis = await connected('commands');
    await untilReady(redis, 1, never);
    expect(redis.status).toBe('ready');
  });

  test('the wait for Redis is over after the given time, and its error names the last connection error', async () => {
    await proxy.use('refuse');
    const redis = connect('commands');
    const waiting = untilReady(redis, 300, never);
    await expect(waiting).rejects.toBeInstanceOf(UnavailableError);
    await expect(waiting).rejects.toThrow(/did not answer within 300 ms: .*ECONNREFUSED/);
  });

  test('the wait for Redis ends when the client is closed', async () => {
    await proxy.use('refuse');
    const redis = connect('commands');
    const waiting = untilReady(redis, 10_000, never);
    redis.disconnect();
    await expect(waiting).rejects.toThrow(/connection was closed/);
    await expect(untilReady(redis, 10_000, never)).rejects.toThrow(/connection was closed/);
  });

  test("the wait for Redis rejects with the caller's reason, and leaves no listener behind", async () => {
    await proxy.use('refuse');
    const redis = connect('commands');
    const before = redis.listenerCount('ready') + redis.listenerCount('end') + redis.listenerCount('error');
    const caller = new AbortController();
    const reason = new Error('shutdown');
    const waiting = untilReady(redis, 10_000, caller.signal);
    caller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(untilReady(redis, 10_000, caller.signal)).rejects.toBe(reason);
    expect(redis.listenerCount('ready') + redis.listenerCount('end') + redis.listenerCount('error')).toBe(before);
  });
});
