/** Each fault of the TCP proxy in front of a real Redis and a real PostgreSQL. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createChanges } from '../../support/changes.js';
import { startRedis, type TestRedis } from '../../support/redis.js';
import { startTcpFaultProxy, type TcpFaultProxy } from '../../support/network/tcp-fault-proxy.js';
import { openWire, type Wire } from '../../support/network/wire.js';

let redis: TestRedis;
let proxy: TcpFaultProxy;
const open: Socket[] = [];
/** Does not go through the proxy. */
let direct: Redis;

beforeAll(async () => {
  redis = await startRedis();
  direct = new Redis(redis.url);
});
afterAll(async () => {
  await direct.quit();
  await redis.stop();
});
beforeEach(async () => {
  await direct.flushall();
  proxy = await startTcpFaultProxy({ port: redis.port });
});
afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy();
  await proxy.close();
});

const dial = (port = proxy.port): Wire => {
  const wire = openWire({ port, host: '127.0.0.1', allowHalfOpen: true });
  open.push(wire.socket);
  return wire;
};

/** A connection that is known to reach Redis. */
const dialled = async (): Promise<Wire> => {
  const wire = dial();
  wire.socket.write('PING\r\n');
  await wire.untilText('+PONG\r\n');
  return wire;
};

/** Resolves when Redis has carried out a wire's `LPUSH` to this list. */
const pushed = (list: string): Promise<unknown> => direct.blpop(list, 10);

const clientsOfRedis = async (): Promise<number> => String(await direct.client('LIST')).split('id=').length - 2;

/** Takes longer than bytes that may pass need to come back. */
const directRoundTrips = async (): Promise<void> => {
  for (let round = 0; round < 20; round += 1) await direct.ping();
};

describe('half open in front of Redis', () => {
  test("a muted client receives the server's bytes, and its own bytes are kept until the line recovers", async () => {
    const wire = await dialled();
    wire.socket.write('SUBSCRIBE news\r\n');
    await wire.untilText(/subscribe/);
    await proxy.use('mute-client');
    wire.socket.write('UNSUBSCRIBE news\r\n');
    await direct.publish('news', 'you hear me');
    await wire.untilText(/you hear me/);
    await directRoundTrips();
    expect(wire.text()).not.toContain('unsubscribe');
    await proxy.use('pass');
    await wire.untilText(/unsubscribe/);
  });

  test("a muted server receives the client's bytes, and its own bytes are kept until the line recovers", async () => {
    const wire = await dialled();
    await proxy.use('mute-server');
    wire.socket.write('LPUSH a 1\r\n');
    expect(await pushed('a')).toEqual(['a', '1']);
    await directRoundTrips();
    expect(wire.text()).toBe('+PONG\r\n');
    await proxy.use('pass');
    await wire.untilText('+PONG\r\n:1\r\n');
  });

  test.each(['end', 'reset'] as const)("Redis keeps a connection when the client's %s is lost", async (how) => {
    const wire = await dialled();
    await proxy.use('lost-end');
    if (how === 'end') wire.socket.end();
    else wire.socket.resetAndDestroy();
    await directRoundTrips();
    expect(await clientsOfRedis()).toBe(1);
    await proxy.use('pass');
    await directRoundTrips();
    expect(await clientsOfRedis()).toBe(1);
  });

  test('a client keeps its connection when the end from the server is lost, although bytes pass both ways', async () => {
    const wire = await dialled();
    await proxy.use('lost-end');
    wire.socket.write('SET a 2\r\n');
    await wire.untilText('+PONG\r\n+OK\r\n');
    expect(await direct.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')).toBe(1);
    expect(await clientsOfRedis()).toBe(0);
    await directRoundTrips();
    expect(wire.ending()).toBeUndefined();
    // Once the network is back, a client that uses a lost connection gets an error.
    await proxy.use('pass');
    wire.socket.write('PING\r\n');
    await wire.untilEnded('ECONNRESET');
  });

  test("a client's end reaches Redis only after the black hole has ended", async () => {
    const wire = await dialled();
    await proxy.use('blackhole');
    wire.socket.end();
    await directRoundTrips();
    expect(await clientsOfRedis()).toBe(1);
    await proxy.use('pass');
    // Redis answers the end with its own.
    await wire.untilEnded('end');
    expect(await clientsOfRedis()).toBe(0);
  });
});

describe('a narrow line to Redis', () => {
  const bytes = 30_000;

  test('a narrow line carries no more than its bytes per second to the server', async () => {
    const wire = await dialled();
    proxy.setBandwidth(100_000);
    const startedMs = performance.now();
    wire.socket.write(`*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$${bytes}\r\n${'y'.repeat(bytes)}\r\n`);
    await wire.untilText('+PONG\r\n+OK\r\n');
    expect(await direct.strlen('b')).toBe(bytes);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(290);
  });

  test('a narrow line carries no more than its bytes per second to the client until the limit is lifted', async () => {
    await direct.set('long', 'x'.repeat(bytes));
    const wire = await dialled();
    proxy.setBandwidth(100_000);
    const startedMs = performance.now();
    wire.socket.write('GET long\r\n');
    await wire.until(() => expect(wire.text().length).toBeGreaterThan(bytes));
    const narrowMs = performance.now() - startedMs;
    expect(narrowMs).toBeGreaterThanOrEqual(290);
    proxy.setBandwidth(Infinity);
    const wideStartedMs = performance.now();
    wire.socket.write('GET long\r\n');
    await wire.until(() => expect(wire.text().length).toBeGreaterThan(2 * bytes));
    expect(performance.now() - wideStartedMs).toBeLessThan(narrowMs);
  });

  test('a held line makes the sender wait once it holds a megabyte, and loses no byte', async () => {
    let arrived = 0;
    const arrival = createChanges();
    const sink = createServer((socket) => {
      socket
        .on('error', () => undefined)
        .on('data', (part) => {
          arrived += part.length;
          arrival.notify();
        });
    });
    await once(sink.listen(0, '127.0.0.1'), 'listening');
    const narrow = await startTcpFaultProxy({ port: (sink.address() as AddressInfo).port });
    await narrow.use('blackhole');
    const wire = dial(narrow.port);
    // Far more than the proxy and the sockets between hold.
    const isFlushed = new Promise((resolve) => wire.socket.write(Buffer.alloc(40_000_000), resolve));
    await directRoundTrips();
    expect(wire.socket.writableLength).toBeGreaterThan(0);
    expect(arrived).toBe(0);
    await narrow.use('pass');
    await isFlushed;
    await arrival.until(() => expect(arrived).toBe(40_000_000));
    await narrow.close();
    await new Promise((resolve) => sink.close(resolve));
  });
});

describe('a line that is cut', () => {
  test('a line that is cut to the server delivers the command before the last byte, and no part of the next', async () => {
    const wire = await dialled();
    const first = 'LPUSH a 1\r\n';
    proxy.cutAfter('to-server', first.length);
    wire.socket.write(`${first}LPUSH b 1\r\n`);
    await wire.untilEnded('ECONNRESET');
    expect(await pushed('a')).toEqual(['a', '1']);
    expect(await direct.exists('b')).toBe(0);
    expect(await clientsOfRedis()).toBe(0);
  });

  test('a line that is cut to the client delivers exactly the given bytes, and the next connection gets all', async () => {
    const wire = await dialled();
    await direct.set('long', 'x'.repeat(1_000));
    proxy.cutAfter('to-client', 100);
    wire.socket.write('GET long\r\n');
    // Where bytes and reset come in one, Node reports the bytes and an end.
    await wire.untilEnded('ECONNRESET', 'end');
    expect(wire.text().length - '+PONG\r\n'.length).toBe(100);
    const next = await dialled();
    next.socket.write('GET long\r\n');
    await next.untilText(/x{1000}\r\n$/);
  });
});

describe('in front of PostgreSQL', () => {
  let line: TcpFaultProxy;
  let client: Client;
  const errors: unknown[] = [];

  beforeEach(async () => {
    errors.length = 0;
    line = await startTcpFaultProxy({ port: Number(new URL(inject('postgresUrl')).port) });
    client = new Client({ connectionString: line.urlFor(inject('postgresUrl')) });
    client.on('error', (error) => errors.push(error));
    await client.connect();
  });
  afterEach(async () => {
    await line.use('pass');
    await client.end().catch(() => undefined);
    await line.close();
  });

  test('PostgreSQL answers a query that was held back once the line has recovered', async () => {
    await line.use('mute-client');
    let answer: unknown;
    const asked = client.query('SELECT 1 AS one').then(({ rows }: { rows: unknown[] }) => (answer = rows));
    await directRoundTrips();
    expect(answer).toBeUndefined();
    await line.use('pass');
    await asked;
    expect(answer).toEqual([{ one: 1 }]);
  });

  test('a client of PostgreSQL gets an error when the answer is cut', async () => {
    line.cutAfter('to-client', 20);
    await expect(client.query('SELECT 1')).rejects.toThrow(/ECONNRESET|terminated/);
    expect(errors.length).toBeGreaterThan(0);
  });

  test('a narrow line from PostgreSQL is slow and delivers the right answer', async () => {
    line.setBandwidth(100_000);
    const startedMs = performance.now();
    const { rows } = await client.query<{ text: string }>(`SELECT repeat('x', 30000) AS text`);
    expect(rows[0]?.text).toHaveLength(30_000);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(290);
  });
});
