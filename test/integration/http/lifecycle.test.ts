import { once } from 'node:events';
import { request as ask } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpParts, HttpServer, HttpSettings } from '../../../src/adapters/http/http-ports.js';
import { createHttpServer } from '../../../src/adapters/http/server.js';
import { ConfigurationError } from '../../../src/domain/errors.js';
import type { JobWaiter } from '../../../src/jobs/ports.js';
import { eventually } from '../../support/eventually.js';
import { type HttpRecords, httpParts } from '../../support/http-parts.js';
import { createManualClock } from '../../support/manual-clock.js';

const API = '/api/v1/internal';

/** Waits that do not end, and why those that were given up were. */
function openEnded() {
  const waits: AbortSignal[] = [];
  const wait: JobWaiter['wait'] = (_ids, _onEnd, signal) =>
    new Promise((_resolve, reject) => {
      waits.push(signal);
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  return { waits, endings: { wait, close: async () => {} } };
}

describe('the HTTP server', () => {
  const servers: HttpServer[] = [];
  const told: HttpRecords = { enqueued: [], bugs: [], answered: [] };
  const create = (over: Partial<HttpParts> = {}, settings: Partial<HttpSettings> = {}): HttpServer => {
    const host = { host: '127.0.0.1', port: 0, tokens: [], version: '1' };
    const server = createHttpServer({ ...httpParts(told), ...over }, { ...host, ...settings });
    servers.push(server);
    return server;
  };
  const open = async (over: Partial<HttpParts> = {}): Promise<{ server: HttpServer; port: number; origin: string }> => {
    const server = create(over);
    const port = await server.listen();
    return { server, port, origin: `http://127.0.0.1:${port}` };
  };
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
    for (const list of Object.values(told) as unknown[][]) list.length = 0;
  });

  it('answers on the port that it tells, until it is closed, which may be asked for twice', async () => {
    const { server, origin } = await open();
    expect((await fetch(`${origin}/healthz`)).status).toBe(200);
    await Promise.all([server.close(), server.close()]);
    await expect(fetch(`${origin}/healthz`)).rejects.toThrow('fetch failed');
    await expect(server.listen()).rejects.toThrow('about to stop');
  });

  it('may be closed before it listens, and listens no more', async () => {
    const server = create();
    await server.close();
    await expect(server.listen()).rejects.toThrow('about to stop');
  });

  it('names the setting when it cannot listen', async () => {
    const { port } = await open();
    const second = create({}, { port });
    await expect(second.listen()).rejects.toThrow(ConfigurationError);
    await expect(second.close()).resolves.toBeUndefined();
    const third = create({}, { port });
    await expect(third.listen()).rejects.toThrow(/^RTMANAGER_INTERNAL_HTTP_ADDR: cannot listen on 127\.0\.0\.1:\d+/);
  });

  it('answers whoever waits with 202 when it closes', async () => {
    const { waits, endings } = openEnded();
    const { server, origin } = await open({ endings });
    const waiting = fetch(`${origin}${API}/runtimes/a/container`, { method: 'DELETE', headers: { prefer: 'wait=60' } });
    await eventually(() => expect(waits).toHaveLength(1));
    await server.close();
    const answer = await waiting;
    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toBe(`${API}/cleanups/17`);
  });

  it('cuts off after a few seconds what does not end by itself', async () => {
    const clock = createManualClock();
    let asked = 0;
    const checkReadiness = (): Promise<never> => {
      asked += 1;
      return new Promise(() => undefined);
    };
    const { server, origin } = await open({ clock, checkReadiness });
    const hung = fetch(`${origin}/readyz`).catch((error: unknown) => error);
    await eventually(() => expect(asked).toBe(1));
    let closed = false;
    const closing = server.close().then(() => (closed = true));
    await eventually(() => expect(clock.pendingMs()).toEqual([3_000]));
    await clock.advance(2_999);
    expect(closed).toBe(false);
    await clock.advance(1);
    await closing;
    expect(await hung).toBeInstanceOf(Error);
  });

  it('stops waiting for a job when the caller goes', async () => {
    const { waits, endings } = openEnded();
    const { port } = await open({ endings });
    const caller = ask({ port, method: 'DELETE', path: `${API}/runtimes/a/container`, headers: { prefer: 'wait=60' } });
    caller.on('error', () => undefined);
    caller.end();
    await eventually(() => expect(waits).toHaveLength(1));
    expect(waits[0]?.aborted).toBe(false);
    caller.destroy();
    await eventually(() => expect(waits[0]?.aborted).toBe(true));
  });

  it('stops a replay of many when the caller goes', async () => {
    const signals: AbortSignal[] = [];
    const { deadLetters } = httpParts(told);
    const { port } = await open({
      deadLetters: {
        ...deadLetters,
        replayAll: (_filter, { signal }) => {
          signals.push(signal);
          return new Promise(() => undefined);
        },
      },
    });
    const headers = { 'content-type': 'application/json' };
    const caller = ask({ port, method: 'POST', path: `${API}/dead-letters/replay`, headers });
    caller.on('error', () => undefined);
    caller.end('{"all":true}');
    await eventually(() => expect(signals).toHaveLength(1));
    caller.destroy();
    await eventually(() => expect(signals[0]?.aborted).toBe(true));
  });

  it('leaves no listener behind on a connection that serves many requests', async () => {
    const { origin } = await open();
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    for (let turn = 0; turn < 30; turn++) {
      const body = '{"all":true}';
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${origin}${API}/dead-letters/replay`, { method: 'POST', body, headers });
      expect(await answer.json()).toEqual({ replayed: 3, skipped: 1 });
    }
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['no HTTP', 'HELLO\r\n\r\n', 400],
    ['headers without end', `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ])('answers %s with a problem', async (_what, bytes, status) => {
    const { port } = await open();
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(bytes);
    const answer = await text(socket);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toMatch(/\r\n\r\n\{"error":\{"code":"invalid_request","message":"[^"]+"\}\}$/);
  });

  it('takes a game called .. from a client that tidies paths, and an id in UTF-8', async () => {
    const { origin } = await open();
    const headers = { 'x-request-id': Buffer.from('Zürich 🎲').toString('latin1') };
    const answer = await fetch(`${origin}${API}/runtimes/..%20/container`, { method: 'DELETE', headers });
    expect(answer.status).toBe(202);
    expect(told.enqueued).toEqual([{ gameId: '..', opSource: 'admin_rest', sourceRef: 'Zürich 🎲' }]);
    expect(answer.headers.get('x-request-id')).toBe(headers['x-request-id']);
    await eventually(() =>
      expect(told.answered).toMatchObject([{ requestId: 'Zürich 🎲', route: `${API}/runtimes/:game_id/container` }]),
    );
  });
});
