import { describe, expect, it } from 'vitest';
import { httpWorld } from '../http-world.js';

const API = '/api/v1/internal';
const JSON_TYPE = { 'content-type': 'application/json' };
describe('a route that takes no body', () => {
  it.each([
    ['nothing', undefined, {}],
    ['nothing, announced as JSON', undefined, JSON_TYPE],
    ['an empty text, announced as JSON', '', JSON_TYPE],
    ['an empty object', '{}', JSON_TYPE],
  ])('answers a request with %s', async (_what, payload, headers) => {
    const { app } = await httpWorld();
    const body = payload === undefined ? {} : { payload };
    const cleanup = await app.inject({ method: 'DELETE', url: `${API}/runtimes/a/container`, headers, ...body });
    const replay = await app.inject({ method: 'POST', url: `${API}/dead-letters/1/replay`, headers, ...body });
    expect([cleanup.statusCode, replay.statusCode]).toEqual([202, 202]);
  });

  it.each([
    ['a precondition that nobody would hear', '{"expectedContainerId":"x"}', JSON_TYPE, 400],
    ['a list', '[]', JSON_TYPE, 400],
    ['null', 'null', JSON_TYPE, 400],
    ['JSON that is none', '{', JSON_TYPE, 400],
    ['a form', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['text', 'a', { 'content-type': 'text/plain' }, 415],
    ['something of no type', 'a', {}, 415],
    ['a type that is none', '{}', { 'content-type': 'json' }, 415],
    ['more than fits', JSON.stringify({ a: 'x'.repeat(70_000) }), JSON_TYPE, 413],
  ])('refuses %s, and stores nothing', async (_what, payload, headers, status) => {
    const { app, enqueued } = await httpWorld();
    const answer = await app.inject({ method: 'DELETE', url: `${API}/runtimes/a/container`, payload, headers });
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toMatchObject({ error: { code: 'invalid_request' } });
    expect(enqueued).toEqual([]);
  });
});

describe('a route that takes one', () => {
  it.each([
    ['nothing', undefined, /^body: .*expected object/i],
    ['an unknown field', '{"code":"conflict","force":true}', /force/],
    ['a prototype', '{"__proto__":{"all":true}}', /JSON|proto/i],
    ['an unknown code', '{"code":"nope"}', /^body code: .*"conflict".*\(found "nope"\)/],
    ['all of none', '{"all":false}', /^body all: .*\(found false\)/],
  ])('refuses %s, naming it', async (_what, payload, message) => {
    const { app } = await httpWorld();
    const body = payload === undefined ? {} : { payload };
    const url = `${API}/dead-letters/replay`;
    const answer = await app.inject({ method: 'POST', url, headers: JSON_TYPE, ...body });
    expect(answer.statusCode).toBe(400);
    expect(answer.json<{ error: { message: string } }>().error.message).toMatch(message);
  });
});
