/** Each fault of the TCP proxy in front of a real Redis and a real PostgreSQL. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { startRedis, type TestRedis } from '../../support/redis.js';
import { startTcpFaultProxy, type TcpFaultProxy } from '../../support/network/tcp-fault-proxy.js';

let redis: TestRedis;
let proxy: TcpFaultProxy;
const open: Socket[] = [];
/** Past the proxy. */
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

/** A connection that speaks by the byte. */
const dial = (port = proxy.port) => {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  open.push(socket);
  let text = '';
  let ending: string | undefined;
  socket.setEncoding('latin1').on('data', (part: string) => (text += part));
  socket.once('end', () => (ending ??= 'end'));
  socket.on('error', (error: NodeJS.ErrnoException) => (ending ??= error.code));
  return { socket, text: () => text, ending: () => ending };
};

/** A connection that is known to reach Redis. */
const dialled = async (): Promise<ReturnType<typeof dial>> => {
  const wire = dial();
  wire.socket.write('PING\r\n');
  await eventually(() => expect(wire.text()).toBe('+PONG\r\n'));
  return wire;
};

const clientsOfRedis = async (): Promise<number> => String(await direct.client('LIST')).split('id=').length - 2;

/** Takes longer than bytes that may pass need to come back. */
const directRoundTrips = async (): Promise<void> => {
  for (let round = 0; round < 20; round += 1) await direct.ping();
};

describe('half open in front of Redis', () => {
  test("the server's bytes pass and the client's are kept until the line is good", async () => {
    const wire = await dialled();
    wire.socket.write('SUBSCRIBE news\r\n');
    await eventually(() => expect(wire.text()).toContain('subscribe'));
    await proxy.use('mute-client');
    wire.socket.write('UNSUBSCRIBE news\r\n');
    await direct.publish('news', 'you hear me');
    await eventually(() => expect(wire.text()).toContain('you hear me'));
    await directRoundTrips();
    expect(wire.text()).not.toContain('unsubscribe');
    await proxy.use('pass');
    await eventually(() => expect(wire.text()).toContain('unsubscribe'));
  });

  test("the client's bytes pass and the server's are kept until the line is good", async () => {
    const wire = await dialled();
    await proxy.use('mute-server');
    wire.socket.write('SET a 1\r\n');
    await eventually(async () => expect(await direct.get('a')).toBe('1'));
    await directRoundTrips();
    expect(wire.text()).toBe('+PONG\r\n');
    await proxy.use('pass');
    await eventually(() => expect(wire.text()).toBe('+PONG\r\n+OK\r\n'));
  });

  test.each(['end', 'reset'] as const)(
    "a client's %s is never heard of, and Redis keeps its connection",
    async (how) => {
      const wire = await dialled();
      await proxy.use('lost-end');
      if (how === 'end') wire.socket.end();
      else wire.socket.resetAndDestroy();
      await directRoundTrips();
      expect(await clientsOfRedis()).toBe(1);
      await proxy.use('pass');
      await directRoundTrips();
      expect(await clientsOfRedis()).toBe(1);
    },
  );

  test('the end of the server is never heard of, though bytes went both ways before', async () => {
    const wire = await dialled();
    await proxy.use('lost-end');
    wire.socket.write('SET a 2\r\n');
    await eventually(() => expect(wire.text()).toBe('+PONG\r\n+OK\r\n'));
    await direct.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await eventually(async () => expect(await clientsOfRedis()).toBe(0));
    await directRoundTrips();
    expect(wire.ending()).toBeUndefined();
    // Once the network is back, a client that uses a lost connection gets an error.
    await proxy.use('pass');
    wire.socket.write('PING\r\n');
    await eventually(() => expect(wire.ending()).toBe('ECONNRESET'));
  });

  test('an end that comes into a black hole is heard of when that is over', async () => {
    const wire = await dialled();
    await proxy.use('blackhole');
    wire.socket.end();
    await directRoundTrips();
    expect(await clientsOfRedis()).toBe(1);
    await proxy.use('pass');
    await eventually(async () => expect(await clientsOfRedis()).toBe(0));
  });
});

describe('a narrow line to Redis', () => {
  const bytes = 30_000;

  test('carries no more than its bytes a second to the server', async () => {
    const wire = await dialled();
    proxy.setBandwidth(100_000);
    const startedMs = performance.now();
    wire.socket.write(`*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$${bytes}\r\n${'y'.repeat(bytes)}\r\n`);
    await eventually(() => expect(wire.text()).toBe('+PONG\r\n+OK\r\n'));
    expect(await direct.strlen('b')).toBe(bytes);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(290);
  });

  test('carries no more than its bytes a second to the client, until the limit is lifted', async () => {
    await direct.set('long', 'x'.repeat(bytes));
    const wire = await dialled();
    proxy.setBandwidth(100_000);
    const startedMs = performance.now();
    wire.socket.write('GET long\r\n');
    await eventually(() => expect(wire.text().length).toBeGreaterThan(bytes));
    const narrowMs = performance.now() - startedMs;
    expect(narrowMs).toBeGreaterThanOrEqual(290);
    proxy.setBandwidth(Infinity);
    const wideStartedMs = performance.now();
    wire.socket.write('GET long\r\n');
    await eventually(() => expect(wire.text().length).toBeGreaterThan(2 * bytes));
    expect(performance.now() - wideStartedMs).toBeLessThan(narrowMs);
  });

  test('makes a sender wait once it holds a megabyte, and loses nothing of what is sent', async () => {
    let arrived = 0;
    const sink = createServer((socket) => {
      socket.on('data', (part) => (arrived += part.length)).on('error', () => undefined);
    });
    sink.listen(0, '127.0.0.1');
    await eventually(() => expect(sink.listening).toBe(true));
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
    await eventually(() => expect(arrived).toBe(40_000_000));
    await narrow.close();
    await new Promise((resolve) => sink.close(resolve));
  });
});

describe('a line that is cut', () => {
  test('to the server: Redis gets the command before the last byte, and no part of the next', async () => {
    const wire = await dialled();
    const first = 'SET a 1\r\n';
    proxy.cutAfter('to-server', first.length);
    wire.socket.write(`${first}SET b 1\r\n`);
    await eventually(() => expect(wire.ending()).toBe('ECONNRESET'));
    await eventually(async () => expect(await direct.get('a')).toBe('1'));
    expect(await direct.get('b')).toBeNull();
    expect(await clientsOfRedis()).toBe(0);
  });

  test('to the client: it gets exactly so many bytes of the answer, and the next connection all', async () => {
    const wire = await dialled();
    await direct.set('long', 'x'.repeat(1_000));
    proxy.cutAfter('to-client', 100);
    wire.socket.write('GET long\r\n');
    // Where bytes and reset come in one, Node reports the bytes and an end.
    await eventually(() => expect(['ECONNRESET', 'end']).toContain(wire.ending()));
    expect(wire.text().length - '+PONG\r\n'.length).toBe(100);
    const next = await dialled();
    next.socket.write('GET long\r\n');
    await eventually(() => expect(next.text()).toMatch(/x{1000}\r\n$/));
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

  test('a question that the server never gets is answered when the line is good', async () => {
    await line.use('mute-client');
    let answer: unknown;
    const asked = client.query('SELECT 1 AS one').then(({ rows }: { rows: unknown[] }) => (answer = rows));
    await directRoundTrips();
    expect(answer).toBeUndefined();
    await line.use('pass');
    await asked;
    expect(answer).toEqual([{ one: 1 }]);
  });

  test('an answer is cut at its byte, and the client hears of it', async () => {
    line.cutAfter('to-client', 20);
    await expect(client.query('SELECT 1')).rejects.toThrow(/ECONNRESET|terminated/);
    expect(errors.length).toBeGreaterThan(0);
  });

  test('a narrow line is slow, and right', async () => {
    line.setBandwidth(100_000);
    const startedMs = performance.now();
    const { rows } = await client.query<{ text: string }>(`SELECT repeat('x', 30000) AS text`);
    expect(rows[0]?.text).toHaveLength(30_000);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(290);
  });
});
