/** Each fault of the engine proxy, seen from the wire, in front of a real engine. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { type EngineFaultProxy, startEngineFaultProxy } from '../../support/engine/engine-fault-proxy.js';
import type { EngineFault } from '../../support/engine/engine-faults.js';
import { rawAnswer } from '../../support/engine/engine-raw-answers.js';
import { eventually } from '../../support/eventually.js';
import { createTestContainers } from '../../support/engine/test-containers.js';

/** Bytes out, bytes in; no HTTP library that would hide what is wrong with them. */
interface Wire {
  readonly received: () => Buffer;
  readonly text: () => string;
  /** How the other side ended it: `end`, an error's code, or undefined while it is open. */
  readonly ending: () => string | undefined;
  readonly socket: Socket;
}

const open: { readonly close: () => Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

const startProxy = async (listen: 'unix' | 'tcp' = 'unix'): Promise<EngineFaultProxy> => {
  const proxy = await startEngineFaultProxy({ engineSocket: inject('engineSocket'), listen });
  open.push(proxy);
  return proxy;
};

const ask = (proxy: EngineFaultProxy, path: string, method = 'GET'): Wire => {
  const socket = proxy.socketPath === '' ? connect(Number(new URL(proxy.host).port)) : connect(proxy.socketPath);
  const parts: Buffer[] = [];
  let ending: string | undefined;
  socket.on('data', (part: Buffer) => parts.push(part));
  socket.once('end', () => (ending ??= 'end'));
  socket.on('error', (error: NodeJS.ErrnoException) => (ending ??= error.code));
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: docker\r\nConnection: keep-alive\r\n\r\n`);
  open.push({ close: async () => void socket.destroy() });
  const received = (): Buffer => Buffer.concat(parts);
  return { received, text: () => received().toString('latin1'), ending: () => ending, socket };
};

/** The engine's answers differ in nothing but the date. */
const withoutDate = (bytes: Buffer): string => bytes.toString('latin1').replace(/Date: .{29}/, 'Date: -');

const MISSING = `/containers/${'0'.repeat(64)}/json`;

describe('the answer cut off at a byte', () => {
  let whole: Buffer;

  beforeAll(async () => {
    whole = await rawAnswer({ engineSocket: inject('engineSocket'), method: 'GET', path: MISSING });
  });

  test('is the real one, from the status line to the end', () => {
    expect(whole.toString('latin1')).toMatch(
      /^HTTP\/1\.1 404 Not Found\r\n[^]+\r\n\r\n\{"message":"No such container: 0{64}"\}\n$/,
    );
  });

  test.each(['fin', 'reset'] as const)('has exactly so many bytes, then a %s', async (end) => {
    const proxy = await startProxy('tcp');
    for (const afterBytes of [0, 1, 12, 17, whole.length - 1, whole.length]) {
      proxy.use(() => ({ kind: 'cut', afterBytes, end }));
      const wire = ask(proxy, MISSING);
      // Where bytes and reset come in one, Node reports the bytes and an end.
      const endings = end === 'fin' ? ['end'] : ['ECONNRESET', ...(afterBytes > 0 ? ['end'] : [])];
      await eventually(() => expect(endings).toContain(wire.ending()));
      expect(withoutDate(wire.received())).toBe(withoutDate(whole).slice(0, withoutDate(wire.received()).length));
      expect(wire.received()).toHaveLength(afterBytes);
      expect(proxy.requests()).toMatchObject([{ fault: 'cut', engineStatus: 404 }]);
    }
  });
});

describe('bytes that are no whole answer', () => {
  const closing: [string, EngineFault, RegExp, number | null][] = [
    ['no HTTP', { kind: 'garbage' }, /^SSH-2\.0/, 404],
    ['what the test wants said', { kind: 'replay', bytes: Buffer.from('HTTP/1'), end: 'fin' }, /^HTTP\/1$/, null],
    [
      'a chunk that is shorter than it says',
      { kind: 'broken-chunks', how: 'cut' },
      /\r\n\r\n[0-9a-f]+\r\n[^]+\r\n[0-9a-f]+\r\n[^]+[^\r\n0]\n$/,
      404,
    ],
    ['a chunk of no length', { kind: 'broken-chunks', how: 'malformed' }, /\r\nmany\r\n/, 404],
  ];
  test.each(closing)('%s, and the connection closes', async (_name, fault, text, engineStatus) => {
    const proxy = await startProxy();
    proxy.use(() => fault);
    const wire = ask(proxy, MISSING);
    await eventually(() => expect(wire.ending()).toBe('end'));
    expect(wire.text()).toMatch(text);
    expect(proxy.requests()).toMatchObject([{ engineStatus }]);
  });

  test.each([
    ['headers', /^HTTP\/1\.1 200 OK\r\n(?:(?!\r\n\r\n)[^])+$/],
    ['body', /\r\n\r\n1000\r\n {4096}\r\n1000\r\n {4096}\r\n/],
    ['interim', /^(?:HTTP\/1\.1 103 Early Hints\r\n\r\n){2,}/],
  ] as const)('%s that come without end, until the caller leaves', async (part, text) => {
    const proxy = await startProxy();
    proxy.use(() => ({ kind: 'endless', part, bytesPerSecond: 1_000_000 }));
    const wire = ask(proxy, MISSING);
    await eventually(() => expect(wire.received().length).toBeGreaterThan(200_000));
    expect(wire.text()).toMatch(text);
    expect(wire.ending()).toBeUndefined();
    expect(proxy.pending()).toBe(1);
    wire.socket.destroy();
    await eventually(() => expect(proxy.pending()).toBe(0));
  });

  test.each([
    ['more', 7],
    ['less', -7],
  ])('a length that says %s than comes, on a connection that stays open', async (_name, by) => {
    const proxy = await startProxy();
    proxy.use(() => ({ kind: 'wrong-length', by }));
    const wire = ask(proxy, MISSING);
    await eventually(() => expect(wire.text()).toMatch(/\}\n$/));
    const [head = '', body = ''] = wire.text().split('\r\n\r\n');
    expect(head.toLowerCase()).toContain(`content-length: ${body.length + by}`);
    expect(wire.ending()).toBeUndefined();
  });
});

describe('answers that are whole, and strange', () => {
  test('a body behind a million blanks', async () => {
    const proxy = await startProxy();
    proxy.use(() => ({ kind: 'padded-body', bytes: 1_000_000 }));
    const wire = ask(proxy, MISSING);
    await eventually(() => expect(wire.text()).toMatch(/"No such container: 0{64}"\}\n$/));
    const [, body = ''] = wire.text().split('\r\n\r\n');
    expect(body.length).toBe(1_000_000 + body.trimStart().length);
  });

  test('a redirect, which the engine never gave', async () => {
    const proxy = await startProxy();
    proxy.use(() => ({ kind: 'redirect', location: 'http://127.0.0.1:1/' }));
    const wire = ask(proxy, MISSING);
    await eventually(() => expect(wire.text()).toMatch(/^HTTP\/1\.1 307[^]+location: http:\/\/127\.0\.0\.1:1\//));
    expect(proxy.requests()).toMatchObject([{ engineStatus: null }]);
  });

  test.each([100, 101, 102, 103] as const)('an interim %i before the answer, or instead of it', async (status) => {
    const proxy = await startProxy();
    proxy.use(() => ({ kind: 'interim', status, only: false }));
    const both = ask(proxy, MISSING);
    await eventually(() => expect(both.text()).toMatch(/^HTTP\/1\.1 1\d\d [^]+\r\n\r\nHTTP\/1\.1 404 /));
    proxy.use(() => ({ kind: 'interim', status, only: true }));
    const one = ask(proxy, MISSING);
    await eventually(() => expect(one.text()).toMatch(/^HTTP\/1\.1 1\d\d (?:(?!HTTP)[^])+\r\n\r\n$/));
    expect(one.ending()).toBeUndefined();
  });
});

describe('a request that is held', () => {
  const gate = () => {
    let lift = (): void => undefined;
    const lifted = new Promise<void>((resolve) => {
      lift = resolve;
    });
    return { lift: () => lift(), lifted };
  };

  test('before the engine hears of it, and after the engine did it, as long as the hook wants', async () => {
    const containers = await createTestContainers(inject('engineSocket'));
    open.push({ close: containers.clear });
    const id = await containers.make('created');
    const proxy = await startProxy();
    const before = gate();
    const after = gate();
    const statuses: (number | null)[] = [];
    proxy.hook({
      onRequest: ({ engineStatus }) => {
        statuses.push(engineStatus);
        return before.lifted;
      },
      onAnswer: ({ engineStatus }) => {
        statuses.push(engineStatus);
        return after.lifted;
      },
    });
    const wire = ask(proxy, `/containers/${id}`, 'DELETE');
    await eventually(() => expect(statuses).toEqual([null]));
    expect(await containers.stateOf(id)).toBe('created');
    before.lift();
    await eventually(() => expect(statuses).toEqual([null, 204]));
    expect(await containers.stateOf(id)).toBe('missing');
    expect(wire.received()).toHaveLength(0);
    after.lift();
    await eventually(() => expect(wire.text()).toMatch(/^HTTP\/1\.1 204 /));
  });

  test('does not hold others, and twenty proxies on one engine answer side by side', async () => {
    const proxies = await Promise.all(Array.from({ length: 20 }, () => startProxy()));
    const [held] = proxies;
    held?.hook({ onRequest: ({ url }) => (url === MISSING ? new Promise(() => undefined) : Promise.resolve()) });
    const silent = proxies.slice(0, 1).map((proxy) => ask(proxy, MISSING));
    const wires = proxies.map((proxy) => ask(proxy, '/version'));
    await eventually(() => {
      for (const wire of wires) expect(wire.text()).toMatch(/^HTTP\/1\.1 200 OK[^]+"ApiVersion"/);
    });
    expect(silent.map((wire) => wire.received().length)).toEqual([0]);
  });
});

test('a request that is forwarded late is forwarded though its caller has left', async () => {
  const containers = await createTestContainers(inject('engineSocket'));
  open.push({ close: containers.clear });
  const id = await containers.make('created');
  const proxy = await startProxy();
  proxy.use(() => ({ kind: 'delay', ms: 300 }));
  const wire = ask(proxy, `/containers/${id}`, 'DELETE');
  await eventually(() => expect(proxy.requests()).toHaveLength(1));
  wire.socket.destroy();
  expect(await containers.stateOf(id)).toBe('created');
  await eventually(() => expect(proxy.requests()).toMatchObject([{ engineStatus: 204 }]));
  expect(await containers.stateOf(id)).toBe('missing');
});

test('a proxy that is closed lets go of what is under way', async () => {
  const proxy = await startProxy();
  const wire = ask(proxy, '/events');
  await eventually(() => expect(wire.text()).toMatch(/^HTTP\/1\.1 200 OK/));
  const closed = once(wire.socket, 'close');
  await proxy.close();
  open.splice(0, 1);
  await closed;
  expect(wire.ending()).toBe('end');
});
