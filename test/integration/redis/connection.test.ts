import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRedis, untilReady } from '../../../src/adapters/redis/connection.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import { eventually } from '../../support/eventually.js';
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

describe('a connection for commands', () => {
  test('refuses a command at once while there is no connection', async () => {
    const redis = await connected('commands');
    await proxy.use('refuse');
    await eventually(() => expect(redis.status).not.toBe('ready'));
    const startedAtMs = performance.now();
    await expect(redis.ping()).rejects.toThrow(/writeable/);
    expect(performance.now() - startedAtMs).toBeLessThan(900);
  });

  test('gives up a command after about a second when the server is silent', async () => {
    const redis = await connected('commands');
    await proxy.use('blackhole');
    const startedAtMs = performance.now();
    await expect(redis.ping()).rejects.toThrow(/timed out/);
    const tookMs = performance.now() - startedAtMs;
    expect(tookMs).toBeGreaterThan(900);
    expect(tookMs).toBeLessThan(3_000);
  });

  test('never sends a command twice: what was under way when the connection broke is refused', async () => {
    const redis = await connected('commands');
    const direct = createRedis({ url: server.url, role: 'commands', onError: () => undefined });
    clients.push(direct);
    await untilReady(direct, 5_000, never);
    // The question gets through, its answer does not.
    proxy.setLatency(50);
    const answer = redis.incr('counter');
    await eventually(async () => expect(await direct.get('counter')).toBe('1'));
    proxy.resetConnections();
    await expect(answer).rejects.toThrow(/max retries per request/);
    proxy.setLatency(0);
    await untilReady(redis, 5_000, never);
    await redis.ping();
    expect(await direct.get('counter')).toBe('1');
  });

  test('leaves a line that has gone silent and finds its way back', async () => {
    const redis = await connected('commands');
    const closed = new Promise((resolve) => redis.once('close', resolve));
    await proxy.use('blackhole');
    await expect(redis.ping()).rejects.toThrow(/timed out/);
    await closed;
    await proxy.use('pass');
    await untilReady(redis, 10_000, never);
    expect(await redis.ping()).toBe('PONG');
  });
});

describe('a connection for queue consumers', () => {
  test('keeps a command that waits through an outage and sends it again', async () => {
    const redis = await connected('blocking');
    const popped = redis.blpop('list', 0);
    await eventually(async () => expect(await clientsInside(server)).toBeGreaterThan(0));
    await proxy.use('refuse');
    await eventually(() => expect(redis.status).toBe('reconnecting'));
    await proxy.use('pass');
    await untilReady(redis, 5_000, never);
    const other = await connected('commands');
    await other.rpush('list', 'job');
    expect(await popped).toEqual(['list', 'job']);
  });
});

describe.each(['commands', 'blocking'] as const)('a connection for %s', (role) => {
  test('is back within three seconds of the server, however long it was away', async () => {
    const redis = await connected(role);
    await proxy.use('refuse');
    let attempts = 0;
    redis.on('reconnecting', () => {
      attempts += 1;
    });
    // By the sixth attempt the pause between two has grown as far as it may.
    await eventually(() => expect(attempts).toBeGreaterThan(6));
    await proxy.use('pass');
    const backAtMs = performance.now();
    await untilReady(redis, 5_000, never);
    expect(performance.now() - backAtMs).toBeLessThan(3_000);
  });

  test('tells of an outage once, not at each attempt, and tells of the next one again', async () => {
    const told: string[] = [];
    const redis = await connected(role, (error) => told.push(error.message));
    let attempts = 0;
    redis.on('reconnecting', () => {
      attempts += 1;
    });
    for (let outage = 1; outage <= 2; outage += 1) {
      await proxy.use('refuse');
      const before = attempts;
      await eventually(() => expect(attempts).toBeGreaterThan(before + 3));
      expect(told.filter((text) => text.includes('ECONNREFUSED'))).toHaveLength(outage);
      await proxy.use('pass');
      await untilReady(redis, 5_000, never);
    }
  });
});

describe('waiting until Redis is ready', () => {
  test('ends at once when it is', async () => {
    const redis = await connected('commands');
    await untilReady(redis, 1, never);
    expect(redis.status).toBe('ready');
  });

  test('is over after the given time, and tells the last connection error', async () => {
    await proxy.use('refuse');
    const redis = connect('commands');
    const waiting = untilReady(redis, 300, never);
    await expect(waiting).rejects.toBeInstanceOf(UnavailableError);
    await expect(waiting).rejects.toThrow(/did not answer within 300 ms: .*ECONNREFUSED/);
  });

  test('ends when the client is ended', async () => {
    await proxy.use('refuse');
    const redis = connect('commands');
    const waiting = untilReady(redis, 10_000, never);
    redis.disconnect();
    await expect(waiting).rejects.toThrow(/connection was closed/);
    await expect(untilReady(redis, 10_000, never)).rejects.toThrow(/connection was closed/);
  });

  test("ends with the caller's reason, and leaves no listener behind", async () => {
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

/** How many clients wait inside the server. */
async function clientsInside({ url }: TestRedis): Promise<number> {
  const redis = createRedis({ url, role: 'commands', onError: () => undefined });
  try {
    await untilReady(redis, 5_000, never);
    return Number(/blocked_clients:(\d+)/.exec(await redis.info('clients'))?.[1] ?? 0);
  } finally {
    redis.disconnect();
  }
}
