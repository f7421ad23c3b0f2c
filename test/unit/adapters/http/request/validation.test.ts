import { describe, expect, it } from 'vitest';
import { API, httpWorld, messageIn } from '../http-world.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const TOO_LONG = JSON.stringify({ code: 'x'.repeat(70_000) });

describe('a route that takes no body', () => {
  it.each([
    ['no body', undefined, {}],
    ['no body but a JSON content type', undefined, JSON_TYPE],
    ['an empty body with a JSON content type', '', JSON_TYPE],
    ['an empty object', '{}', JSON_TYPE],
  ])('a route without a body answers a request with %s', async (_what, payload, headers) => {
    const { app } = await httpWorld();
    const body = payload === undefined ? {} : { payload };
    const cleanup = await app.inject({ method: 'DELETE', url: `${API}/runtimes/a/container`, headers, ...body });
    const replay = await app.inject({ method: 'POST', url: `${API}/dead-letters/1/replay`, headers, ...body });
    expect([cleanup.statusCode, replay.statusCode]).toEqual([202, 202]);
  });

  it.each([
    ['a precondition that would be ignored', '{"expectedContainerId":"x"}', JSON_TYPE, 400],
    ['a list', '[]', JSON_TYPE, 400],
    ['null', 'null', JSON_TYPE, 400],
    ['invalid JSON', '{', JSON_TYPE, 400],
    ['a form', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['text', 'a', { 'content-type': 'text/plain' }, 415],
    ['a body without a content type', 'a', {}, 415],
    ['an invalid content type', '{}', { 'content-type': 'json' }, 415],
    ['a body that is too long', TOO_LONG, JSON_TYPE, 413],
  ])('a route without a body refuses %s and enqueues nothing', async (_what, payload, headers, status) => {
    const { app, enqueued } = await httpWorld();
    const answer = await app.inject({ method: 'DELETE', url: `${API}/runtimes/a/container`, payload, headers });
    expect([answer.statusCode, answer.json()]).toMatchObject([status, { error: { code: 'invalid_request' } }]);
    expect(enqueued).toEqual([]);
  });
});

describe('a route that takes a body', () => {
  it.each([
    ['a missing body', undefined, JSON_TYPE, 400, /^body: .*expected object/i],
    ['an unknown field', '{"code":"conflict","force":true}', JSON_TYPE, 400, /force/],
    ['a prototype', '{"__proto__":{"all":true}}', JSON_TYPE, 400, /JSON|proto/i],
    ['an unknown code', '{"code":"nope"}', JSON_TYPE, 400, /^body code: .*"conflict".*\(found "nope"\)/],
    ['"all": false', '{"all":false}', JSON_TYPE, 400, /^body all: .*\(found false\)/],
    ['invalid JSON', '{', JSON_TYPE, 400, /JSON/],
    ['another media type', 'x', { 'content-type': 'text/plain' }, 415, /media type/i],
    ['a body that is too long', TOO_LONG, JSON_TYPE, 413, /too large/],
  ])('a route with a body refuses %s and names it', async (_what, payload, headers, status, message) => {
    const { app } = await httpWorld();
    const body = payload === undefined ? {} : { payload };
    const answer = await app.inject({ method: 'POST', url: `${API}/dead-letters/replay`, headers, ...body });
    expect([answer.statusCode, answer.json()]).toMatchObject([status, { error: { code: 'invalid_request' } }]);
    expect(messageIn(answer)).toMatch(message);
  });
});
