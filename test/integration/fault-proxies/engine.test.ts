/** Each fault of the engine proxy, seen from the wire, in front of a real engine. */
import { once } from 'node:events';
import { afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { type EngineFaultProxy, startEngineFaultProxy } from '../../support/engine/engine-fault-proxy.js';
import type { EngineFault } from '../../support/engine/engine-faults.js';
import { rawAnswer } from '../../support/engine/engine-raw-answers.js';
import { createTestContainers } from '../../support/engine/test-containers.js';
import { createGate } from '../../support/changes.js';
import { openWire, type Wire } from '../../support/network/wire.js';

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
  const { socketPath, host } = proxy;
  const wire = openWire(socketPath === '' ? { port: Number(new URL(host).port) } : { path: socketPath });
  wire.socket.write(`${method} ${path} HTTP/1.1\r\nHost: docker\r\nConnection: keep-alive\r\n\r\n`);
  open.push({ close: async () => void wire.socket.destroy() });
  return wire;
};

/** Two answers of the engine to one request differ only in their date. */
const withoutDate = (bytes: Buffer): string => bytes.toString('latin1').replace(/Date: .{29}/, 'Date: -');

const MISSING = `/containers/${'0'.repeat(64)}/json`;

describe('an answer that is cut at a byte', () => {
  let whole: Buffer;

  beforeAll(async () => {
    whole = await rawAnswer({ engineSocket: inject('engineSocket'), method: 'GET', path: MISSING });
  });

  test('an answer that is not cut is whole, from the status line to the end', () => {
    expect(whole.toString('latin1')).toMatch(
      /^HTTP\/1\.1 404 Not Found\r\n[^]+\r\n\r\n\{"message":"No such container: 0{64}"\}\n$/,
    );
  });

  test.each(['fin', 'reset'] as const)(
    'an answer that is cut has exactly the given number of bytes, then a %s',
    async (end) => {
      const proxy = await startProxy('tcp');
      for (const afterBytes of [0, 1, 12, 17, whole.length - 1, whole.length]) {
        proxy.use(() => ({ kind: 'cut', afterBytes, end }));
        const wire = ask(proxy, MISSING);
        // Where bytes and reset come in one, Node reports the bytes and an end.
        const endings = end === 'fin' ? ['end'] : ['ECONNRESET', ...(afterBytes > 0 ? ['end'] : [])];
        await wire.untilEnded(...endings);
        expect(withoutDate(wire.received())).toBe(withoutDate(whole).slice(0, withoutDate(wire.received()).length));
        expect(wire.received()).toHaveLength(afterBytes);
        expect(proxy.requests()).toMatchObject([{ fault: 'cut', engineStatus: 404 }]);
      }
    },
  );
});

describe('bytes that are not a whole answer', () => {
  const closing: [string, EngineFault, RegExp, number | null][] = [
    ['bytes that are not HTTP', { kind: 'garbage' }, /^SSH-2\.0/, 404],
    ['the bytes that the test gives', { kind: 'replay', bytes: Buffer.from('HTTP/1'), end: 'fin' }, /^HTTP\/1$/, null],
    [
      'a chunk that is shorter than its length',
      { kind: 'broken-chunks', how: 'cut' },
      /\r\n\r\n[0-9a-f]+\r\n[^]+\r\n[0-9a-f]+\r\n[^]+[^\r\n0]\n$/,
      404,
    ],
    ['a chunk whose length is not a number', { kind: 'broken-chunks', how: 'malformed' }, /\r\nmany\r\n/, 404],
  ];
  test.each(closing)('the connection closes after %s', async (_name, fault, text, engineStatus) => {
    const proxy = await startProxy();
    proxy.use(() => fault);
    const wire = ask(proxy, MISSING);
    await wire.untilEnded('end');
    expect(wire.text()).toMatch(text);
    expect(proxy.requests()).toMatchObject([{ engineStatus }]);
  });

  test.each([
    ['headers', /^HTTP\/1\.1 200 OK\r\n(?:(?!\r\n\r\n)[^])+$/],
    ['body', /\r\n\r\n1000\r\n {4096}\r\n1000\r\n {4096}\r\n/],
    ['interim', /^(?:HTTP\/1\.1 103 Early Hints\r\n\r\n){2,}/],
  ] as const)('an answer whose %s never ends is sent until the caller disconnects', async (part, text) => {
    const proxy = await startProxy();
    proxy.use(() => ({ kind: 'endless', part, bytesPerSecond: 1_000_000 }));
    const wire = ask(proxy, MISSING);
    await wire.until(() => expect(wire.received().length).toBeGreaterThan(200_000));
    expect(wire.text()).toMatch(text);
    expect(wire.ending()).toBeUndefined();
    expect(proxy.pending()).toBe(1);
    wire.socket.destroy();
    await proxy.until(() => expect(proxy.pending()).toBe(0));
  });

  test.each([
    ['greater', 7],
    ['smaller', -7],
  ])('the connection stays open when the stated length is %s than the real one', async (_name, by) => {
    const proxy = await startProxy();
    proxy.use(() => ({ kind: 'wrong-length', by }));
    const wire = ask(proxy, MISSING);
    await wire.untilText(/\}\n$/);
    const [head = '', body = ''] = wire.text().split('\r\n\r\n');
    expect(head.toLowerCase()).toContain(`content-length: ${body.length + by}`);
    expect(wire.ending()).toBeUndefined();
  });
});

describe('answers that are whole but unusual', () => {
  test('a body arrives after a million blanks', async () => {
    const proxy = await startProxy();
    proxy.use(() => ({ kind: 'padded-body', bytes: 1_000_000 }));
    const wire = ask(proxy, MISSING);
    await wire.untilText(/"No such container: 0{64}"\}\n$/);
    const [, body = ''] = wire.text().split('\r\n\r\n');
    expect(body.length).toBe(1_000_000 + body.trimStart().length);
  });

  test('a redirect is sent without a request to the engine', async () => {
    const proxy = await startProxy();
    proxy.use(() => ({ kind: 'redirect', location: 'http://127.0.0.1:1/' }));
    const wire = ask(proxy, MISSING);
    await wire.untilText(/^HTTP\/1\.1 307[^]+location: http:\/\/127\.0\.0\.1:1\//);
    expect(proxy.requests()).toMatchObject([{ engineStatus: null }]);
  });

  test.each([100, 101, 102, 103] as const)(
    'an interim answer %i comes before the final one, or instead of it',
    async (status) => {
      const proxy = await startProxy();
      proxy.use(() => ({ kind: 'interim', status, only: false }));
      const both = ask(proxy, MISSING);
      await both.untilText(/^HTTP\/1\.1 1\d\d [^]+\r\n\r\nHTTP\/1\.1 404 /);
      proxy.use(() => ({ kind: 'interim', status, only: true }));
      const one = ask(proxy, MISSING);
      await one.untilText(/^HTTP\/1\.1 1\d\d (?:(?!HTTP)[^])+\r\n\r\n$/);
      expect(one.ending()).toBeUndefined();
    },
  );
});

describe('a request that is held', () => {
  test('a hook holds a request before the engine receives it, and its answer after the engine has acted', async () => {
    const containers = await createTestContainers(inject('engineSocket'));
    open.push({ close: containers.clear });
    const id = await containers.make('created');
    const proxy = await startProxy();
    const [request, answer] = [createGate<number | null>(), createGate<number | null>()];
    const [mayGoOn, mayBeAnswered] = [createGate(), createGate()];
    proxy.hook({
      onRequest: ({ engineStatus }) => {
        request.open(engineStatus);
        return mayGoOn.opened;
      },
      onAnswer: ({ engineStatus }) => {
        answer.open(engineStatus);
        return mayBeAnswered.opened;
      },
    });
    const wire = ask(proxy, `/containers/${id}`, 'DELETE');
    expect(await request.opened).toBeNull();
    expect(await containers.stateOf(id)).toBe('created');
    mayGoOn.open();
    expect(await answer.opened).toBe(204);
    expect(await containers.stateOf(id)).toBe('missing');
    expect(wire.received()).toHaveLength(0);
    mayBeAnswered.open();
    await wire.untilText(/^HTTP\/1\.1 204 /);
  });

  test('twenty proxies on one engine answer side by side while one of them holds a request', async () => {
    const proxies = await Promise.all(Array.from({ length: 20 }, () => startProxy()));
    const [held] = proxies;
    held?.hook({ onRequest: ({ url }) => (url === MISSING ? new Promise(() => undefined) : Promise.resolve()) });
    const silent = proxies.slice(0, 1).map((proxy) => ask(proxy, MISSING));
    const wires = proxies.map((proxy) => ask(proxy, '/version'));
    await Promise.all(wires.map((wire) => wire.untilText(/^HTTP\/1\.1 200 OK[^]+"ApiVersion"/)));
    expect(silent.map((wire) => wire.received().length)).toEqual([0]);
  });
});

test('a delayed request is forwarded although its caller has disconnected', async () => {
  const containers = await createTestContainers(inject('engineSocket'));
  open.push({ close: containers.clear });
  const id = await containers.make('created');
  const proxy = await startProxy();
  proxy.use(() => ({ kind: 'delay', ms: 300 }));
  const wire = ask(proxy, `/containers/${id}`, 'DELETE');
  await proxy.until(() => expect(proxy.requests()).toHaveLength(1));
  wire.socket.destroy();
  expect(await containers.stateOf(id)).toBe('created');
  await proxy.until(() => expect(proxy.requests()).toMatchObject([{ engineStatus: 204 }]));
  expect(await containers.stateOf(id)).toBe('missing');
});

test('a closed proxy ends the requests that are under way', async () => {
  const proxy = await startProxy();
  const wire = ask(proxy, '/events');
  await wire.untilText(/^HTTP\/1\.1 200 OK/);
  const closed = once(wire.socket, 'close');
  await proxy.close();
  open.splice(0, 1);
  await closed;
  expect(wire.ending()).toBe('end');
});
