import { describe, expect, it } from 'vitest';
import type { HttpParts } from '../../../../../src/adapters/http/build-app.js';
import { createHttpServer } from '../../../../../src/adapters/http/server.js';
import { ConfigurationError } from '../../../../../src/domain/errors.js';
import { addFailedFakeJob } from '../../../../support/fakes/state.js';
import { httpSettings } from '../../../../support/http-parts.js';
import { API, httpWorld } from '../http-world.js';

const TOKEN = 'a-token-of-sixteen';
const OTHER = 'another-token-of-sixteen';
const tokens = [OTHER, TOKEN];
const basic = (password: string) => `Basic ${Buffer.from(`any-user:${password}`).toString('base64')}`;
const RUNTIMES = `${API}/runtimes`;

describe('a server with tokens', () => {
  it.each([
    ['a known token', RUNTIMES, `Bearer ${TOKEN}`, 200],
    ['the other token', RUNTIMES, `bearer ${OTHER}`, 200],
    ['no token', RUNTIMES, undefined, 401],
    ['a longer token', RUNTIMES, `Bearer ${TOKEN}x`, 401],
    ['a part of a token', RUNTIMES, `Bearer ${TOKEN.slice(0, -1)}`, 401],
    ['two tokens', RUNTIMES, `Bearer ${TOKEN}, ${OTHER}`, 401],
    ['a login on a path for programs', RUNTIMES, basic(TOKEN), 401],
    ['a login on the overview', '/admin', basic(TOKEN), 200],
    ['a wrong login on the overview', '/admin', basic('wrong'), 401],
    ['a login on the queue dashboard', '/admin/queues/', basic(OTHER), 200],
    ['no login on the queue dashboard', '/admin/queues/', undefined, 401],
    ['no token on an unknown path', '/nowhere', undefined, 401],
    ['no token on the metrics', '/metrics', undefined, 401],
    ['no token on the OpenAPI document', '/openapi.json', undefined, 401],
    ['no token on the health route', '/healthz', undefined, 200],
    ['no token on the readiness route', '/readyz', undefined, 200],
  ])(
    'a server with tokens answers a request with %s (%s) with the right status',
    async (_what, url, authorization, status) => {
      const { app } = await httpWorld({}, { tokens });
      const answer = await app.inject({ url, headers: authorization === undefined ? {} : { authorization } });
      expect(answer.statusCode).toBe(status);
      if (status !== 401) return;
      expect(answer.json()).toMatchObject({ error: { code: 'unauthorized' } });
      const challenge = url.startsWith('/admin') ? /^Basic realm=/ : /^Bearer$/;
      expect(answer.headers['www-authenticate']).toMatch(challenge);
    },
  );

  it('a server with tokens answers requests to any host name', async () => {
    const { app } = await httpWorld({}, { tokens });
    const headers = { host: 'cleanup.example', authorization: `Bearer ${TOKEN}` };
    expect((await app.inject({ url: RUNTIMES, headers })).statusCode).toBe(200);
  });
});

describe('a server without tokens', () => {
  it.each([
    ['localhost:8096', 200],
    ['LOCALHOST', 200],
    ['127.0.0.1:8096', 200],
    ['127.1.2.3', 200],
    ['[::1]:8096', 200],
    ['evil.example', 401],
    ['localhost.evil.example:8096', 401],
    ['127.0.0.1.evil.example', 401],
    ['evil@localhost', 401],
    ['localhost:8096:1', 401],
  ])('a server without tokens answers a request to the host %j with %i', async (host, status) => {
    const { app } = await httpWorld();
    expect((await app.inject({ url: RUNTIMES, headers: { host } })).statusCode).toBe(status);
  });

  it('a server without tokens refuses to listen on an address that other machines can reach', async () => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it must refuse before it uses any port
    const server = createHttpServer({} as HttpParts, httpSettings({ host: '0.0.0.0' }));
    await expect(server.listen()).rejects.toBeInstanceOf(ConfigurationError);
    await server.close();
  });
});

describe('a cross-site request', () => {
  const proxied = { host: 'inner:8096', origin: 'https://outer.example', authorization: `Bearer ${TOKEN}` };
  it.each([
    ['a foreign origin', [], { origin: 'http://evil.example' }, 401],
    ['an opaque origin', [], { origin: 'null' }, 401],
    ['Sec-Fetch-Site: cross-site', [], { 'sec-fetch-site': 'cross-site' }, 401],
    ['the origin of this server', [], { origin: 'http://localhost:8096', 'sec-fetch-site': 'same-origin' }, 202],
    ['no headers of a browser', [], {}, 202],
    ['a changed host but Sec-Fetch-Site: same-origin', tokens, { ...proxied, 'sec-fetch-site': 'same-origin' }, 202],
    ['a changed host and Sec-Fetch-Site: same-site', tokens, { ...proxied, 'sec-fetch-site': 'same-site' }, 401],
    ['a changed host without Sec-Fetch-Site', tokens, proxied, 401],
  ])(
    'a request with %s gets the right status and changes nothing when it is refused',
    async (_what, known, headers, status) => {
      const { app, state } = await httpWorld({}, { tokens: known });
      const { jobId } = addFailedFakeJob(state, { data: { gameId: 'a' } });
      const answer = await app.inject({
        method: 'POST',
        url: `${API}/dead-letters/${jobId}/replay`,
        headers: { host: 'localhost:8096', ...headers },
      });
      expect([answer.statusCode, state.jobs.get(jobId)?.state]).toEqual([
        status,
        status === 202 ? 'waiting' : 'failed',
      ]);
    },
  );
});
