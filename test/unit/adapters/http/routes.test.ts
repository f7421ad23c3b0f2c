import { EventEmitter } from 'node:events';
import { assert, asyncProperty, constantFrom, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnavailableError, InvalidPageError } from '../../../../src/domain/errors.js';
import { recordToJson } from '../../../../src/domain/result.js';
import type { JobResult, JobWaiter } from '../../../../src/jobs/ports.js';
import { aRecord } from '../../../support/http-parts.js';
import { httpWorld } from './http-world.js';

const API = '/api/v1/internal';
const away = () => Promise.reject(new UnavailableError('postgresql', 'no database'));

const IDS: readonly (readonly [what: string, gameId: string])[] = [
  ['digits', '123'],
  ['a colon', 'a:b'],
  ['a slash', 'a/b'],
  ['two dots', '..'],
  ['an emoji', '🎲🎲'],
  ['256 characters of four bytes', '🎲'.repeat(256)],
  ['SQL', `'; DROP TABLE runtime_records; --`],
  ['HTML', '<img src=x onerror=alert(1)>'],
  ['a percent sign', '100%'],
  ['a question mark', 'a?b=c'],
  ['inner spaces', 'a b'],
];

describe('asking for a cleanup', () => {
  it.each(IDS)('takes a game id of %s as it is', async (_what, gameId) => {
    const { app, enqueued } = await httpWorld();
    // With a space behind, which is trimmed: clients take the dots alone for steps in the path.
    const path = `${encodeURIComponent(gameId)}${gameId === '..' ? '%20' : ''}`;
    const answer = await app.inject({ method: 'DELETE', url: `${API}/runtimes/${path}/container` });
    expect(answer.statusCode).toBe(202);
    expect(answer.json()).toEqual({ jobId: '17', state: 'waiting' });
    expect(answer.headers['location']).toBe(`${API}/cleanups/17`);
    expect(enqueued).toMatchObject([{ gameId, opSource: 'admin_rest' }]);
  });

  it.each([
    ['nothing but spaces', '%20', 'gameId is empty'],
    ['257 characters', 'x'.repeat(257), 'at most 256'],
    ['a control character', 'a%00b', 'control character'],
    ['a broken encoding', '%zz', 'not a valid url'],
  ])('refuses a game id of %s, and stores nothing', async (_what, path, message) => {
    const { app, enqueued } = await httpWorld();
    const answer = await app.inject({ method: 'DELETE', url: `${API}/runtimes/${path}/container` });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ error: { code: 'invalid_request' } });
    expect(answer.json<{ error: { message: string } }>().error.message).toContain(message);
    expect(enqueued).toEqual([]);
  });

  it.each([
    ['gm', 'gm_rest'],
    ['admin', 'admin_rest'],
    ['somebody', 'admin_rest'],
  ])('by the caller %s has the source %s, and the request id as reference', async (caller, opSource) => {
    const { app, enqueued } = await httpWorld();
    const headers = { 'x-galaxy-caller': caller, 'x-request-id': 'req-7' };
    const answer = await app.inject({ method: 'DELETE', url: `${API}/runtimes/a/container`, headers });
    expect(enqueued).toEqual([{ gameId: 'a', opSource, sourceRef: 'req-7' }]);
    expect(answer.headers['x-request-id']).toBe('req-7');
  });

  it('refuses a request id that is too long to be kept', async () => {
    const { app, enqueued } = await httpWorld();
    const headers = { 'x-request-id': 'x'.repeat(300) };
    const answer = await app.inject({ method: 'DELETE', url: `${API}/runtimes/a/container`, headers });
    expect(answer.statusCode).toBe(400);
    expect(answer.json<{ error: { message: string } }>().error.message).toMatch(/X-Request-Id.*300 characters/);
    expect(enqueued).toEqual([]);
  });

  const failed = (code: string): JobResult => ({ jobId: '17', state: 'failed', reason: `${code}: because` });
  it.each([
    ['not_found', 404],
    ['conflict', 409],
    ['container_mismatch', 409],
    ['lease_lost', 409],
    ['invalid_request', 400],
    ['service_unavailable', 503],
    ['internal_error', 500],
  ])('and waiting for it answers a job that ended in %s with %i', async (code, status) => {
    const { app } = await httpWorld({}, { ending: failed(code) });
    const headers = { prefer: 'wait=5' };
    const answer = await app.inject({ method: 'DELETE', url: `${API}/runtimes/a/container`, headers });
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toEqual({ error: { code, message: 'because' } });
    expect(answer.headers['preference-applied']).toBe('wait=5');
  });

  it('and waiting for it answers with the record', async () => {
    const record = recordToJson(aRecord('a'));
    const result = { outcome: 'success', errorCode: '', errorMessage: '', record } as const;
    const { app } = await httpWorld({}, { ending: { jobId: '17', state: 'completed', result } });
    const headers = { prefer: 'respond-async, wait="5"' };
    const answer = await app.inject({ method: 'DELETE', url: `${API}/runtimes/a/container`, headers });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual(record);
  });

  it('and waiting for longer than was asked for ends in 202', async () => {
    const { app } = await httpWorld();
    const headers = { prefer: 'wait=0' };
    const answer = await app.inject({ method: 'DELETE', url: `${API}/runtimes/a/container`, headers });
    expect(answer.statusCode).toBe(202);
  });

  it('and waiting for it ends when the server closes', async () => {
    const begun = new EventEmitter();
    const wait: JobWaiter['wait'] = (_ids, _onEnd, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        begun.emit('wait');
      });
    const { app, closing } = await httpWorld({ endings: { wait, close: async () => {} } });
    begun.once('wait', () => closing.abort(new Error('closing')));
    const headers = { prefer: 'wait=60' };
    const answer = await app.inject({ method: 'DELETE', url: `${API}/runtimes/a/container`, headers });
    expect(answer.statusCode).toBe(202);
  });

  it('is no longer possible once the server closes', async () => {
    const { app, closing, enqueued } = await httpWorld();
    closing.abort(new Error('closing'));
    const answer = await app.inject({ method: 'DELETE', url: `${API}/runtimes/a/container` });
    expect([answer.statusCode, enqueued]).toEqual([503, []]);
  });

  it('is answered 503 at once when the queue is away, and never 202', async () => {
    const { app } = await httpWorld({ queue: { enqueue: away, close: async () => {} } });
    const answer = await app.inject({ method: 'DELETE', url: `${API}/runtimes/a/container` });
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.json()).toEqual({ error: { code: 'service_unavailable', message: 'no database' } });
  });

  it('is answered 503 within a second when the queue hangs', async () => {
    const { app } = await httpWorld({ queue: { enqueue: () => new Promise(() => {}), close: async () => {} } });
    const startedMs = performance.now();
    const answer = await app.inject({ method: 'DELETE', url: `${API}/runtimes/a/container` });
    expect(answer.statusCode).toBe(503);
    expect(performance.now() - startedMs).toBeLessThan(1_500);
  });
});

describe('the API', () => {
  it('lists records with when they are due', async () => {
    const { app } = await httpWorld();
    const answer = await app.inject(`${API}/runtimes?status=stopped&limit=1`);
    expect(answer.json()).toEqual({
      items: [{ ...recordToJson(aRecord('a')), cleanup_due_at: '2026-04-01T00:00:00.000Z' }],
      next: 'b',
    });
  });

  it('tells of one record why it is kept', async () => {
    const { app } = await httpWorld();
    const answer = await app.inject(`${API}/runtimes/a`);
    expect(answer.json()).toMatchObject({
      gameId: 'a',
      leaseEpoch: '7',
      retention: { verdict: 'held', hold: { reason: 'evidence', heldBy: 'ann', heldUntil: null } },
    });
  });

  it.each([
    ['GET', `${API}/runtimes/nobody`],
    ['GET', `${API}/cleanups/17`],
    ['GET', `${API}/dead-letters/17`],
    ['GET', '/nowhere'],
    ['POST', `${API}/runtimes`],
  ] as const)('answers %s %s with 404', async (method, url) => {
    const { app } = await httpWorld();
    const answer = await app.inject({ method, url });
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ error: { code: 'not_found' } });
  });

  it.each([
    ['an unknown parameter', '/runtimes?statsu=stopped', 'statsu'],
    ['an unknown status', '/runtimes?status=gone', '(found "gone")'],
    ['a limit of none', '/runtimes?limit=0', '(found "0")'],
    ['a limit that is no number', '/runtimes?limit=ten', '(found "ten")'],
    ['an unknown code', '/dead-letters?code=nope', '(found "nope")'],
    ['an instant that is none', '/dead-letters?failed_before=yesterday', '(found "yesterday")'],
  ])('refuses %s, naming it', async (_what, path, named) => {
    const { app } = await httpWorld();
    const answer = await app.inject(`${API}${path}`);
    expect(answer.statusCode).toBe(400);
    expect(answer.json<{ error: { message: string } }>().error.message).toContain(named);
  });

  it('refuses a cursor that its store refuses', async () => {
    const list = () => Promise.reject(new InvalidPageError('the cursor is none'));
    const { app } = await httpWorld({ records: { listRecords: list, findRecord: away, listOperations: away } });
    const answer = await app.inject(`${API}/runtimes?after=x`);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toEqual({ error: { code: 'invalid_request', message: 'the cursor is none' } });
  });

  it('replays and purges dead letters, one and many', async () => {
    const { app } = await httpWorld();
    const one = await app.inject({ method: 'POST', url: `${API}/dead-letters/9/replay` });
    expect([one.statusCode, one.json()]).toEqual([202, { jobId: '9', status: 'replayed', state: 'waiting' }]);
    const many = await app.inject({ method: 'POST', url: `${API}/dead-letters/replay`, payload: { code: 'conflict' } });
    expect([many.statusCode, many.json()]).toEqual([200, { replayed: 3, skipped: 1 }]);
    const gone = await app.inject({ method: 'DELETE', url: `${API}/dead-letters/9` });
    expect([gone.statusCode, gone.body]).toEqual([204, '']);
  });

  it.each([
    ['both', { code: 'conflict', all: true }],
    ['neither', {}],
    ['an unknown field', { all: true, force: true }],
  ])('refuses a replay of %s', async (_what, payload) => {
    const { app } = await httpWorld();
    const answer = await app.inject({ method: 'POST', url: `${API}/dead-letters/replay`, payload });
    expect(answer.statusCode).toBe(400);
  });

  it.each([
    ['JSON that is none', '{', 'application/json', 400],
    ['another media type', 'x', 'text/plain', 415],
    ['too large a body', JSON.stringify({ code: 'x'.repeat(70_000) }), 'application/json', 413],
  ])('refuses %s with a problem', async (_what, payload, type, status) => {
    const { app } = await httpWorld();
    const headers = { 'content-type': type };
    const answer = await app.inject({ method: 'POST', url: `${API}/dead-letters/replay`, payload, headers });
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toMatchObject({ error: { code: 'invalid_request' } });
  });

  it('tells nothing of a bug but where to look, and tells the log everything', async () => {
    const { app, bugs, answered } = await httpWorld({
      jobs: { find: () => Promise.reject(new TypeError('secret inner text')) },
    });
    const answer = await app.inject({ url: `${API}/cleanups/1`, headers: { 'x-request-id': 'r-1' } });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('secret');
    expect(answer.json<{ error: { message: string } }>().error.message).toContain('r-1');
    expect(bugs).toMatchObject([{ message: 'secret inner text' }]);
    expect(answered).toMatchObject([{ route: `${API}/cleanups/:job_id`, status: 500, requestId: 'r-1' }]);
  });

  it('is ready only when every check is', async () => {
    const ill = { name: 'retention', ok: false, detail: 'no sweep finished' };
    const { app } = await httpWorld({ checkReadiness: async () => [ill] });
    const answer = await app.inject('/readyz');
    expect([answer.statusCode, answer.json()]).toEqual([503, { ready: false, checks: [ill] }]);
    expect((await app.inject('/healthz')).statusCode).toBe(200);
  });

  it('answers any text in any place with a documented status and, if it refuses, a problem', async () => {
    const { app, bugs } = await httpWorld();
    const place = constantFrom(
      (text: string) => `${API}/runtimes/${text}`,
      (text: string) => `${API}/runtimes?after=${text}`,
      (text: string) => `${API}/dead-letters/${text}`,
      (text: string) => `${API}/dead-letters?game_id=${text}`,
      (text: string) => `${API}/cleanups/${text}`,
    );
    const anything = expect.any(Object);
    const aProblem = { error: { code: expect.any(String), message: expect.any(String) } };
    const property = asyncProperty(place, string({ unit: 'binary', maxLength: 300 }), async (at, text) => {
      const answer = await app.inject(at(encodeURIComponent(text.toWellFormed())));
      expect([200, 400, 404]).toContain(answer.statusCode);
      expect(answer.json()).toEqual(answer.statusCode === 200 ? anything : aProblem);
    });
    await assert(property, { numRuns: 300 });
    expect(bugs).toEqual([]);
  }, 60_000);
});
