import { createServer as createHttpServer, request } from 'node:http';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  startEngineFaultProxy,
  type EngineFault,
  type EngineFaultProxy,
} from '../../support/engine/engine-fault-proxy.js';
import { startTcpFaultProxy, type TcpFaultProxy } from '../../support/network/tcp-fault-proxy.js';
import { openWire, type Wire } from '../../support/network/wire.js';

describe('engine fault proxy', () => {
  const arrived: string[] = [];
  const engine = createHttpServer((incoming, response) => {
    arrived.push(incoming.url ?? '');
    if (incoming.method === 'DELETE') response.writeHead(204).end();
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{"Id":"0123456789"}');
  });
  let folder: string;
  let proxy: EngineFaultProxy;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fault-proxy-test-'));
    engine.listen(join(folder, 'engine.sock'));
    await once(engine, 'listening');
    proxy = await startEngineFaultProxy({ engineSocket: join(folder, 'engine.sock') });
  });
  beforeEach(() => {
    arrived.length = 0;
  });
  afterAll(async () => {
    await proxy.close();
    engine.closeAllConnections();
    await new Promise((resolve) => engine.close(resolve));
    await rm(folder, { recursive: true });
  });

  /** The answer as `status body`, or the error's code; `cut` when the body ends early, `silent` when none comes in time. */
  const ask = (method: string, path: string, timeoutMs = 5000): Promise<string> =>
    new Promise((resolve) => {
      const asked = request({ socketPath: proxy.socketPath, method, path, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('error', () => undefined);
        response.once('close', () => resolve(response.complete ? `${response.statusCode} ${text}` : 'cut'));
      });
      const timer = setTimeout(() => {
        resolve('silent');
        asked.destroy();
      }, timeoutMs);
      asked.once('close', () => clearTimeout(timer));
      asked.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      asked.end();
    });

  const rows: [EngineFault['kind'] | 'none', EngineFault | undefined, string, boolean][] = [
    ['none', undefined, '200 {"Id":"0123456789"}', true],
    ['delay', { kind: 'delay', ms: 5 }, '200 {"Id":"0123456789"}', true],
    ['status', { kind: 'status', status: 503, message: 'busy' }, '503 {"message":"busy"}', false],
    ['reset', { kind: 'reset' }, 'ECONNRESET', false],
    ['lost-answer', { kind: 'lost-answer' }, 'ECONNRESET', true],
    ['hang', { kind: 'hang' }, 'silent', false],
    ['hang-after', { kind: 'hang-after' }, 'silent', true],
    ['truncated-body', { kind: 'truncated-body' }, 'cut', true],
    ['slow-body', { kind: 'slow-body', ms: 1, bytes: 4 }, '200 {"Id":"0123456789"}', true],
  ];
  test.each(rows)(
    'the caller and the engine see what they should when the fault is %s',
    async (_name, fault, answer, reached) => {
      proxy.use(() => fault);
      expect(await ask('GET', '/containers/a/json', answer === 'silent' ? 200 : 5000)).toBe(answer);
      expect(arrived).toEqual(reached ? ['/containers/a/json'] : []);
      expect(proxy.requests()).toEqual([
        {
          method: 'GET',
          url: '/containers/a/json',
          nth: 1,
          fault: fault?.kind ?? null,
          engineStatus: reached ? 200 : null,
        },
      ]);
    },
  );

  test('an answer without a body can be cut off, too', async () => {
    proxy.use(() => ({ kind: 'truncated-body' }));
    expect(await ask('DELETE', '/containers/a')).toBe('cut');
    expect(proxy.requests()).toMatchObject([{ engineStatus: 204 }]);
  });

  test('a rule can select the second request of a method', async () => {
    proxy.use(({ method, nth }) => (method === 'DELETE' && nth === 2 ? { kind: 'reset' } : undefined));
    expect(await ask('DELETE', '/containers/a?v=1')).toBe('204 ');
    expect(await ask('GET', '/containers/a/json')).toMatch(/^200/);
    expect(await ask('DELETE', '/containers/b?v=1')).toBe('ECONNRESET');
    expect(await ask('DELETE', '/containers/b?v=1')).toBe('204 ');
    expect(arrived).toEqual(['/containers/a?v=1', '/containers/a/json', '/containers/b?v=1']);
  });
});

describe('TCP fault proxy', () => {
  const echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  let proxy: TcpFaultProxy;

  beforeAll(async () => {
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    proxy = await startTcpFaultProxy({ port: (echo.address() as AddressInfo).port });
  });
  beforeEach(async () => {
    await proxy.use('pass');
    proxy.setLatency(0);
    proxy.resetConnections();
  });
  afterAll(async () => {
    await proxy.close();
    await new Promise((resolve) => echo.close(resolve));
  });

  const open = async (): Promise<Wire> => {
    const wire = openWire({ port: proxy.port, host: '127.0.0.1' });
    await new Promise((resolve) => wire.socket.once('connect', resolve).once('close', resolve));
    return wire;
  };

  /** Takes as long as the bytes written before it would have needed to come back. */
  const directRoundTrip = async (): Promise<void> => {
    const socket = connect((echo.address() as AddressInfo).port, '127.0.0.1');
    socket.end('direct');
    socket.resume();
    await once(socket, 'close');
  };

  test('the TCP proxy carries megabytes without change and passes on the end', async () => {
    const { socket, received } = await open();
    const sent = 'x'.repeat(3_000_000);
    socket.end(sent);
    await once(socket, 'close');
    expect(received().length).toBe(sent.length);
  });

  test('the TCP proxy adds its latency in both directions', async () => {
    proxy.setLatency(40);
    const wire = await open();
    const startedMs = performance.now();
    wire.socket.write('ping');
    await wire.untilText('ping');
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(79);
    wire.socket.destroy();
  });

  test('the TCP proxy as a black hole keeps connections open and silent, and delivers the bytes when it ends', async () => {
    const wire = await open();
    await proxy.use('blackhole');
    wire.socket.write('held back');
    const later = await open();
    later.socket.write('too');
    for (let round = 0; round < 20; round += 1) await directRoundTrip();
    expect([wire.text(), later.text(), wire.ending()]).toEqual(['', '', undefined]);
    await proxy.use('pass');
    await Promise.all([wire.untilText('held back'), later.untilText('too')]);
    wire.socket.destroy();
    later.socket.destroy();
  });

  test('the TCP proxy resets live and new connections', async () => {
    const live = await open();
    await proxy.use('reset');
    await live.untilEnded('ECONNRESET');
    const fresh = await open();
    await fresh.untilEnded('ECONNRESET');
    expect(proxy.connections()).toBe(0);
  });

  test('the TCP proxy refuses connections as a stopped server does, and listens again on the same port', async () => {
    const live = await open();
    await proxy.use('refuse');
    await live.untilEnded('ECONNRESET');
    expect((await open()).ending()).toBe('ECONNREFUSED');
    await proxy.use('pass');
    const wire = await open();
    wire.socket.write('back');
    await wire.untilText('back');
    wire.socket.destroy();
  });
});
