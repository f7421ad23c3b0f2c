import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/async/clock.js';
import { createHttpClient } from '../../../demo/platform/http-client.js';

describe("the demo's HTTP client", () => {
  let server: Server;
  const seen: (string | undefined)[][] = [];

  beforeEach(async () => {
    seen.length = 0;
    server = createServer((request, response) => {
      const { method, url, headers } = request;
      seen.push([method, url, headers.authorization]);
      response.writeHead(url === '/text' ? 200 : 202).end(url === '/text' ? 'not JSON' : `{"turn":${seen.length}}`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => void server.close());

  const client = (signal = new AbortController().signal) => {
    const { port } = server.address() as AddressInfo;
    const origin = `http://127.0.0.1:${port}`;
    return { origin, http: createHttpClient({ origin, token: 'secret', wait: { clock: systemClock, signal } }) };
  };

  it('a call is the same as its curl line, and both are listed once', async () => {
    const { origin, http } = client();
    expect(await http.ask({ method: 'DELETE', path: 'runtimes/a/container' })).toEqual({
      status: 202,
      body: { turn: 1 },
    });
    expect(seen).toEqual([['DELETE', '/api/v1/internal/runtimes/a/container', 'Bearer secret']]);
    expect(http.newLines()).toEqual([
      `  $ API=${origin}/api/v1/internal TOKEN=secret`,
      '  $ curl -X DELETE -H "Authorization: Bearer $TOKEN" "$API/runtimes/a/container"',
      '    202 {"turn":1}',
    ]);
    expect(http.newLines()).toEqual([]);
  });

  it('a call is repeated until the answer is the wanted one, and only the last call is listed', async () => {
    const { http } = client();
    await http.askUntil({ method: 'GET', path: '/', token: null }, ({ body }) => JSON.stringify(body) === '{"turn":3}');
    expect(seen).toHaveLength(3);
    expect(http.calls()).toEqual([expect.objectContaining({ status: 202, body: { turn: 3 } })]);
  });

  it('an answer that is not JSON and a missing answer are errors that name the call', async () => {
    const { http } = client();
    await expect(http.ask({ method: 'GET', path: '/text' })).rejects.toThrow(/is not JSON: not JSON/);
    const gone = createHttpClient({
      origin: 'http://127.0.0.1:1',
      token: '',
      wait: { clock: systemClock, signal: new AbortController().signal },
    });
    await expect(gone.ask({ method: 'GET', path: '/' })).rejects.toThrow(/^GET http:\/\/127\.0\.0\.1:1\/: /);
  });

  it('an aborted call rejects with the reason of the abort', async () => {
    const reason = new Error('stopped by SIGINT');
    await expect(client(AbortSignal.abort(reason)).http.ask({ method: 'GET', path: '/' })).rejects.toBe(reason);
  });
});
