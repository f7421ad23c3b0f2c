import { EventEmitter, once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../../../src/domain/errors.js';
import { recordToJson, type ResultJson } from '../../../../../src/domain/result.js';
import type { JobWaiter } from '../../../../../src/jobs/ports.js';
import { addFakeJob, endFakeJobs, type FakeJob } from '../../../../support/fakes/state.js';
import { createManualClock } from '../../../../support/manual-clock.js';
import { aRecord } from '../../../../support/records.js';
import { API, httpWorld, messageIn, requestCleanup } from '../http-world.js';

const INVALID = new Date(Number.NaN);

const completed = (result: object) => ({ state: 'completed', result: result as ResultJson }) as const;
const failed = (reason: string) => ({ state: 'failed', reason }) as const;

/** A server whose jobs all end at once in this way. */
const worldEndingWith = async (end: ReturnType<typeof completed | typeof failed> | { readonly state: 'missing' }) => {
  const world = await httpWorld();
  endFakeJobs(world.state, () => end);
  return world;
};

describe('a cleanup request', () => {
  it.each([
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
  ])('a cleanup request with a game id of %s enqueues it unchanged', async (_what, gameId) => {
    const { app, enqueued } = await httpWorld();
    // HTTP clients resolve two dots as a path segment; the space, which is trimmed, prevents that.
    const path = `${encodeURIComponent(gameId)}${gameId === '..' ? '%20' : ''}`;
    const answer = await requestCleanup(app, {}, path);
    expect([answer.statusCode, answer.json()]).toEqual([202, { jobId: '1', state: 'waiting' }]);
    expect(answer.headers['location']).toBe(`${API}/cleanups/1`);
    expect(enqueued).toMatchObject([{ gameId, opSource: 'admin_rest' }]);
  });

  it.each([
    ['a game id of spaces', '%20', {}, 'gameId is empty'],
    ['a game id of 257 characters', 'x'.repeat(257), {}, 'at most 256'],
    ['a game id with a control character', 'a%00b', {}, 'control character'],
    ['a game id with a broken encoding', '%zz', {}, 'not a valid url'],
    ['a request id of 300 characters', 'a', { 'x-request-id': 'x'.repeat(300) }, /X-Request-Id.*300 characters/],
  ])('a cleanup request with %s is refused and enqueues nothing', async (_what, path, headers, message) => {
    const { app, enqueued } = await httpWorld();
    const answer = await requestCleanup(app, headers, path);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ error: { code: 'invalid_request' } });
    expect(messageIn(answer)).toMatch(message);
    expect(enqueued).toEqual([]);
  });

  it.each([
    ['gm', 'gm_rest'],
    ['GM', 'gm_rest'],
    [' gm ', 'gm_rest'],
    ['admin', 'admin_rest'],
    ['unknown', 'admin_rest'],
  ])(
    'a cleanup request of the caller %j has the source %s and the request id as reference',
    async (caller, opSource) => {
      const { app, enqueued } = await httpWorld();
      const answer = await requestCleanup(app, { 'x-galaxy-caller': caller, 'x-request-id': 'req-7' });
      expect(enqueued).toEqual([{ gameId: 'a', opSource, sourceRef: 'req-7' }]);
      expect(answer.headers['x-request-id']).toBe('req-7');
    },
  );

  it('a cleanup request without a request id gets a new one as reference', async () => {
    const { app, enqueued } = await httpWorld();
    await requestCleanup(app);
    expect(enqueued).toMatchObject([{ sourceRef: expect.stringMatching(/^[0-9a-f-]{36}$/) }]);
  });

  it('a cleanup request is refused when the server is about to stop', async () => {
    const { app, closing, enqueued } = await httpWorld();
    closing.abort(new Error('closing'));
    expect([(await requestCleanup(app)).statusCode, enqueued]).toEqual([503, []]);
  });

  it('a cleanup request is answered 503, never 202, when the queue is unavailable', async () => {
    const enqueue = () => Promise.reject(new UnavailableError('queue', 'no queue'));
    const { app } = await httpWorld({ queue: { enqueue } });
    const answer = await requestCleanup(app);
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(answer.json()).toEqual({ error: { code: 'service_unavailable', message: 'no queue' } });
  });

  it('a cleanup request is answered 503 within a second when the queue hangs', async () => {
    const clock = createManualClock();
    const calls = new EventEmitter();
    const enqueue = (): Promise<never> => new Promise(() => calls.emit('enqueue'));
    const { app } = await httpWorld({ clock, queue: { enqueue } });
    const enqueueing = once(calls, 'enqueue');
    const answering = requestCleanup(app);
    await enqueueing;
    await clock.advance(1_000);
    expect((await answering).statusCode).toBe(503);
  });
});

describe('a waiting cleanup request', () => {
  const PREFER = { prefer: 'wait=5' };

  it.each([
    ['not_found', 404],
    ['conflict', 409],
    ['container_mismatch', 409],
    ['lease_lost', 409],
    ['invalid_request', 400],
    ['engine_mismatch', 503],
    ['service_unavailable', 503],
    ['internal_error', 500],
  ])('a job that failed with %s is answered with %i', async (code, status) => {
    const { app } = await worldEndingWith(failed(`${code}: because`));
    const answer = await requestCleanup(app, PREFER);
    expect([answer.statusCode, answer.json()]).toEqual([status, { error: { code, message: 'because' } }]);
    expect(answer.headers['preference-applied']).toBe('wait=5');
  });

  it('a job that succeeded is answered with its record and with what it did to the container', async () => {
    const record = recordToJson(aRecord({ gameId: 'a' }));
    const { app } = await worldEndingWith(
      completed({ outcome: 'success', errorCode: '', errorMessage: '', record, removal: 'already_gone' }),
    );
    const answer = await requestCleanup(app, { prefer: 'respond-async, wait="5"' });
    expect([answer.statusCode, answer.json()]).toEqual([200, { ...record, removal: 'already_gone' }]);
  });

  it('answers a result of an older worker, which has neither removal nor engine, with empty ones', async () => {
    const { dockerHost: _none, ...record } = recordToJson(aRecord({ gameId: 'a' }));
    const { app } = await worldEndingWith(completed({ outcome: 'success', errorCode: '', errorMessage: '', record }));
    const answer = await requestCleanup(app, PREFER);
    expect([answer.statusCode, answer.json()]).toEqual([200, { ...record, dockerHost: null, removal: '' }]);
  });

  it.each([
    ['a failure', { outcome: 'failure', errorCode: 'conflict', errorMessage: 'it runs', record: null }, 409],
    ['a record of another version', { outcome: 'success', errorCode: '', errorMessage: '', record: {} }, 500],
  ])('a completed job with %s is answered with an error and the path of the job', async (_what, result, status) => {
    const { app } = await worldEndingWith(completed(result));
    const answer = await requestCleanup(app, PREFER);
    expect([answer.statusCode, answer.headers['location']]).toEqual([status, `${API}/cleanups/1`]);
  });

  it('a job that has not ended in time is answered 202 with its newest state', async () => {
    const { app, state } = await httpWorld();
    state.onJobChange(() => {
      const job = state.jobs.get('1');
      if (job?.state === 'waiting') state.setJob({ ...job, state: 'delayed' });
    });
    const answer = await requestCleanup(app, { prefer: 'wait=0' });
    expect([answer.statusCode, answer.json()]).toEqual([202, { jobId: '1', state: 'delayed' }]);
  });

  it('a job that the queue no longer has is answered 202 with the state unknown', async () => {
    const { app } = await worldEndingWith({ state: 'missing' });
    const answer = await requestCleanup(app, { prefer: 'wait=0' });
    expect([answer.statusCode, answer.json()]).toEqual([202, { jobId: '1', state: 'unknown' }]);
  });

  it('a waiting request is answered 202 when the server is about to stop', async () => {
    const calls = new EventEmitter();
    const wait: JobWaiter['wait'] = (_ids, _onEnd, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        calls.emit('wait');
      });
    const { app, closing } = await httpWorld({ jobWaiter: { wait } });
    calls.once('wait', () => closing.abort(new Error('closing')));
    expect((await requestCleanup(app, { prefer: 'wait=60' })).statusCode).toBe(202);
  });
});

describe('the state of a cleanup', () => {
  const show = async (over: Partial<FakeJob>) => {
    const { app, bugs, state } = await httpWorld();
    const { jobId } = addFakeJob(state, { gameId: 'a', opSource: 'gm_rest' }, { state: 'completed', ...over });
    const answer = await app.inject(`${API}/cleanups/${jobId}`);
    return { status: answer.statusCode, body: answer.json<unknown>(), bugs };
  };
  const ended = (end: ReturnType<typeof completed | typeof failed>): Partial<FakeJob> => ({
    state: end.state,
    ending: { ...end, jobId: '1' },
  });

  it('the state of a dead letter has code and message apart', async () => {
    const { body } = await show(ended(failed('conflict: it runs: still')));
    expect(body).toMatchObject({ failure: { code: 'conflict', message: 'it runs: still' }, result: null });
  });

  it.each([
    ['a record of another version', { outcome: 'success', errorCode: '', errorMessage: '', record: { game: 'a' } }],
    ['no message', { outcome: 'success', errorCode: '', record: null }],
  ])('the state of a cleanup is shown for a stored result with %s', async (_what, result) => {
    const { status, body, bugs } = await show(ended(completed(result)));
    expect([status, bugs]).toEqual([200, []]);
    expect(body).toMatchObject({ result: { outcome: 'success', errorMessage: '', record: null } });
  });

  it('the state of a cleanup has empty text for invalid times', async () => {
    const { body } = await show({ enqueuedAt: INVALID, startedAt: INVALID, finishedAt: null });
    expect(body).toMatchObject({ enqueuedAt: '', startedAt: '', finishedAt: null });
  });
});
