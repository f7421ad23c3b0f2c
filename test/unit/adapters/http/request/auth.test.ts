import { describe, expect, it } from 'vitest';
import { createHttpServer } from '../../../../../src/adapters/http/server.js';
import type { HttpParts } from '../../../../../src/adapters/http/http-ports.js';
import { ConfigurationError } from '../../../../../src/domain/errors.js';
import { httpWorld } from '../http-world.js';

const TOKEN = 'a-token-of-sixteen';
const OTHER = 'another-token-of-sixteen';
const tokens = [OTHER, TOKEN];
const basic = (password: string) => `Basic ${Buffer.from(`anybody:${password}`).toString('base64')}`;
const RUNTIMES = '/api/v1/internal/runtimes';

describe('with tokens', () => {
  it.each([
    ['a known one', RUNTIMES, `Bearer ${TOKEN}`, 200],
    ['the other one', RUNTIMES, `bearer ${OTHER}`, 200],
    ['none', RUNTIMES, undefined, 401],
    ['a wrong one', RUNTIMES, `Bearer ${TOKEN}x`, 401],
    ['a part of one', RUNTIMES, `Bearer ${TOKEN.slice(0, -1)}`, 401],
    ['two at once', RUNTIMES, `Bearer ${TOKEN}, ${OTHER}`, 401],
    ['a login where only programs ask', RUNTIMES, basic(TOKEN), 401],
    ['a login in a browser', '/admin', basic(TOKEN), 200],
    ['a wrong login in a browser', '/admin', basic('wrong'), 401],
    ['a login at the dashboard', '/admin/queues/', basic(OTHER), 200],
    ['no login at the dashboard', '/admin/queues/', undefined, 401],
    ['none at a path that is not there', '/nowhere', undefined, 401],
    ['none where the metrics are', '/metrics', undefined, 401],
    ['none where the document is', '/openapi.json', undefined, 401],
    ['none where anybody may ask', '/healthz', undefined, 200],
    ['none where an orchestrator asks', '/readyz', undefined, 200],
  ])('%s at %s is answered as it must be', async (_what, url, authorization, status) => {
    const { app } = await httpWorld({}, { tokens });
    const answer = await app.inject({ url, headers: authorization === undefined ? {} : { authorization } });
    expect(answer.statusCode).toBe(status);
    if (status !== 401) return;
    expect(answer.json()).toMatchObject({ error: { code: 'unauthorized' } });
    const challenge = url.startsWith('/admin') ? /^Basic realm=/ : /^Bearer$/;
    expect(answer.headers['www-authenticate']).toMatch(challenge);
  });

  it('any host name will do', async () => {
    const { app } = await httpWorld({}, { tokens });
    const headers = { host: 'cleanup.example', authorization: `Bearer ${TOKEN}` };
    expect((await app.inject({ url: RUNTIMES, headers })).statusCode).toBe(200);
  });
});

describe('without tokens', () => {
  it.each([
    ['localhost:8096', 200],
    ['127.0.0.1:8096', 200],
    ['[::1]:8096', 200],
    ['evil.example', 401],
    ['localhost.evil.example:8096', 401],
    ['127.0.0.1.evil.example', 401],
  ])('a request to the host %s is answered with %i', async (host, status) => {
    const { app } = await httpWorld();
    expect((await app.inject({ url: RUNTIMES, headers: { host } })).statusCode).toBe(status);
  });

  it('the server refuses to listen where others can reach it', async () => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it must refuse before it touches any part
    const server = createHttpServer({} as HttpParts, { host: '0.0.0.0', port: 0, tokens: [], version: '1' });
    await expect(server.listen()).rejects.toBeInstanceOf(ConfigurationError);
    await server.close();
  });
});

describe('a page of another site', () => {
  it.each([
    ['a foreign origin', { origin: 'http://evil.example' }, 401],
    ['an origin that is none', { origin: 'null' }, 401],
    ['a word of the browser', { 'sec-fetch-site': 'cross-site' }, 401],
    ['our own origin', { origin: 'http://localhost:8096', 'sec-fetch-site': 'same-origin' }, 202],
    ['no browser at all', {}, 202],
  ])('may change nothing: %s', async (_what, headers, status) => {
    const { app } = await httpWorld();
    const answer = await app.inject({
      method: 'POST',
      url: '/api/v1/internal/dead-letters/1/replay',
      headers: { host: 'localhost:8096', ...headers },
    });
    expect(answer.statusCode).toBe(status);
  });
});

describe('on the dashboard', () => {
  it.each([
    ['run a job again', '/admin/queues/api/queues/runtime-cleanup/17/retry', 200],
    ['empty a queue', '/admin/queues/api/queues/runtime-cleanup/empty', 405],
  ])('an operator may or may not %s', async (_what, url, status) => {
    const { app } = await httpWorld();
    expect((await app.inject({ method: 'PUT', url })).statusCode).toBe(status);
  });

  it('nothing may be loaded from another host', async () => {
    const { app } = await httpWorld();
    const answer = await app.inject('/admin/queues/');
    expect(answer.headers['content-security-policy']).toContain(`default-src 'none'`);
  });
});
