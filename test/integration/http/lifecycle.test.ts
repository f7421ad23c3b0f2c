import { EventEmitter, once } from 'node:events';
import { request as ask } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpParts } from '../../../src/adapters/http/build-app.js';
import type { AnsweredRequest, HttpServer, HttpSettings } from '../../../src/adapters/http/http-ports.js';
import { untilAborted } from '../../../src/async/clock.js';
import { createHttpServer } from '../../../src/adapters/http/server.js';
import { ConfigurationError } from '../../../src/domain/errors.js';
import type { JobWaiter } from '../../../src/jobs/ports.js';
import { httpParts, httpSettings, noObservations } from '../../support/http-parts.js';
import { createManualClock } from '../../support/manual-clock.js';

const API = '/api/v1/internal';

/** A call of a port that ends only when its signal is aborted. `begun` resolves to that signal. */
function openEnded() {
  let begin: (signal: AbortSignal) => void;
  const begun = new Promise<AbortSignal>((resolve) => (begin = resolve));
  const call = (signal: AbortSignal): Promise<never> =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
      begin(signal);
    });
  const wait: JobWaiter['wait'] = (_ids, _onEnd, signal) => call(signal);
  return { begun, call, jobWaiter: { wait } };
}

describe('the HTTP server', () => {
  const servers: HttpServer[] = [];
  const seen = noObservations();
  const create = (over: Partial<HttpParts> = {}, settings: Partial<HttpSettings> = {}): HttpServer => {
    const server = createHttpServer({ ...httpParts(seen), ...over }, httpSettings(settings));
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
    for (const list of Object.values(seen) as unknown[][]) list.length = 0;
  });

  it('the server answers on its port until it is closed, once or twice', async () => {
    const { server, origin } = await open();
    expect((await fetch(`${origin}/healthz`)).status).toBe(200);
    await Promise.all([server.close(), server.close()]);
    await expect(fetch(`${origin}/healthz`)).rejects.toThrow('fetch failed');
    await expect(server.listen()).rejects.toThrow('about to stop');
  });

  it('a server that was closed before it listened refuses to listen', async () => {
    const server = create();
    await server.close();
    await expect(server.listen()).rejects.toThrow('about to stop');
  });

  it('a server that cannot listen on an address names its setting', async () => {
    const { port } = await open();
    const second = create({}, { port });
    await expect(second.listen()).rejects.toThrow(ConfigurationError);
    await expect(second.close()).resolves.toBeUndefined();
    const third = create({}, { port });
    await expect(third.listen()).rejects.toThrow(/^RTMANAGER_INTERNAL_HTTP_ADDR: cannot listen on 127\.0\.0\.1:\d+/);
  });

  it('a closing server answers a waiting caller with 202', async () => {
    const { begun, jobWaiter } = openEnded();
    const { server, origin } = await open({ jobWaiter });
    const waiting = fetch(`${origin}${API}/runtimes/a/container`, { method: 'DELETE', headers: { prefer: 'wait=60' } });
    await begun;
    await server.close();
    const answer = await waiting;
    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toMatch(new RegExp(`^${API}/cleanups/\\d+$`));
  });

  it('a closing server closes a connection whose request does not end within three seconds', async () => {
    const clock = createManualClock();
    const { begun, call } = openEnded();
    const checkReadiness = (): Promise<never> => call(new AbortController().signal);
    const { server, origin } = await open({ clock, checkReadiness });
    const hung = fetch(`${origin}/readyz`).catch((error: unknown) => error);
    await begun;
    let closed = false;
    const closing = server.close().then(() => (closed = true));
    await clock.advance(0);
    expect(clock.pendingMs()).toEqual([3_000]);
    await clock.advance(2_999);
    expect(closed).toBe(false);
    await clock.advance(1);
    await closing;
    expect(await hung).toBeInstanceOf(Error);
  });

  it('the server stops waiting for a job when the caller disconnects', async () => {
    const { begun, jobWaiter } = openEnded();
    const { port } = await open({ jobWaiter });
    const caller = ask({ port, method: 'DELETE', path: `${API}/runtimes/a/container`, headers: { prefer: 'wait=60' } });
    caller.on('error', () => undefined);
    caller.end();
    const signal = await begun;
    expect(signal.aborted).toBe(false);
    caller.destroy();
    await untilAborted(signal);
    expect(signal.reason).toMatchObject({ message: 'the caller has disconnected' });
  });

  it('the server stops a replay of all dead letters when the caller disconnects', async () => {
    const { begun, call } = openEnded();
    const { deadLetters } = httpParts(seen);
    const { port } = await open({
      deadLetters: {
        ...deadLetters,
        replayAll: (_filter, { signal }) => call(signal),
      },
    });
    const headers = { 'content-type': 'application/json' };
    const caller = ask({ port, method: 'POST', path: `${API}/dead-letters/replay`, headers });
    caller.on('error', () => undefined);
    caller.end('{"all":true}');
    const signal = await begun;
    expect(signal.aborted).toBe(false);
    caller.destroy();
    await untilAborted(signal);
    expect(signal.reason).toMatchObject({ message: 'the caller has disconnected' });
  });

  it('the server removes its listeners from a connection that carries many requests', async () => {
    const { origin } = await open();
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    for (let turn = 0; turn < 30; turn++) {
      const body = '{"all":true}';
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${origin}${API}/dead-letters/replay`, { method: 'POST', body, headers });
      expect(await answer.json()).toEqual({ replayed: 0, skipped: 0 });
    }
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['bytes that are not HTTP', 'HELLO\r\n\r\n', 400],
    ['headers of 20 KB', `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ])('the server answers %s with an error body', async (_what, bytes, status) => {
    const { port } = await open();
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(bytes);
    const answer = await text(socket);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toMatch(/\r\n\r\n\{"error":\{"code":"invalid_request","message":"[^"]+"\}\}$/);
  });

  it('the server accepts the game id .. from a client that resolves paths, and a request id in UTF-8', async () => {
    const answered = new EventEmitter();
    const observer = {
      answered: (request: AnsweredRequest) => void answered.emit('one', request),
      operatorActed: () => undefined,
      failed: () => undefined,
    };
    const { origin } = await open({ observer });
    const observed = once(answered, 'one');
    const headers = { 'x-request-id': Buffer.from('Zürich 🎲').toString('latin1') };
    const answer = await fetch(`${origin}${API}/runtimes/..%20/container`, { method: 'DELETE', headers });
    expect(answer.status).toBe(202);
    expect(seen.enqueued).toEqual([{ gameId: '..', opSource: 'admin_rest', sourceRef: 'Zürich 🎲' }]);
    expect(answer.headers.get('x-request-id')).toBe(headers['x-request-id']);
    expect(await observed).toMatchObject([{ requestId: 'Zürich 🎲', route: `${API}/runtimes/:game_id/container` }]);
  });
});
