import { describe, expect, it } from 'vitest';
import type { HttpParts } from '../../../../../src/adapters/http/build-app.js';
import { UnavailableError } from '../../../../../src/domain/errors.js';
import type { JobState } from '../../../../../src/jobs/ports.js';
import { addFailedFakeJob, addFakeJob } from '../../../../support/fakes/state.js';
import { httpParts } from '../../../../support/http-parts.js';
import { API, httpWorld, type HttpWorld } from '../http-world.js';

const nested = (): unknown => {
  let value: unknown = {};
  for (let depth = 0; depth < 20_000; depth++) value = [value];
  return value;
};

describe('a dead letter', () => {
  it.each([
    ['text', 'no object', 'no object'],
    ['nothing', undefined, null],
    ['data nested too deep for JSON.stringify', nested(), '(not shown: nested too deep)'],
  ])('a dead letter with a payload of %s is shown', async (_what, payload, shown) => {
    const { app, state } = await httpWorld();
    addFailedFakeJob(state, { jobId: '9', data: payload, failedAtMs: Number.NaN });
    const answer = await app.inject(`${API}/dead-letters/9`);
    expect([answer.statusCode, answer.json()]).toMatchObject([200, { payload: shown, failedAt: '' }]);
  });

  const REPLAYED = { jobId: '9', status: 'replayed', state: 'waiting' };
  const LIVE = { jobId: '9', status: 'live', state: 'active' };
  const NOT_FOUND = { error: { code: 'not_found' } };
  const ROWS: readonly (readonly [
    what: string,
    method: 'POST' | 'DELETE',
    job: 'failed' | 'active' | 'missing',
    status: number,
    body: unknown,
    after: JobState | undefined,
  ])[] = [
    ['a replay', 'POST', 'failed', 202, REPLAYED, 'waiting'],
    ['a replay of a missing job', 'POST', 'missing', 404, NOT_FOUND, undefined],
    ['a replay of a live job', 'POST', 'active', 202, LIVE, 'active'],
    ['a purge', 'DELETE', 'failed', 204, '', undefined],
    ['a purge of a missing job', 'DELETE', 'missing', 404, NOT_FOUND, undefined],
    ['a purge of a live job', 'DELETE', 'active', 409, { error: { code: 'conflict' } }, 'active'],
  ];
  it.each(ROWS)('%s (%s) is answered with its outcome', async (_what, method, job, status, body, after) => {
    const { app, state } = await httpWorld();
    const data = { gameId: 'a' };
    if (job === 'failed') addFailedFakeJob(state, { jobId: '9', data });
    if (job === 'active') addFakeJob(state, data, { jobId: '9', state: 'active' });
    const url = `${API}/dead-letters/9${method === 'POST' ? '/replay' : ''}`;
    const answer = await app.inject({ method, url });
    expect([answer.statusCode, answer.body === '' ? '' : answer.json()]).toMatchObject([status, body]);
    expect(state.jobs.get('9')?.state).toBe(after);
  });
});

describe('a replay of all dead letters', () => {
  const replayAll = async ({ app }: HttpWorld, payload: object) => {
    const answer = await app.inject({ method: 'POST', url: `${API}/dead-letters/replay`, payload });
    return [answer.statusCode, answer.json<unknown>()];
  };

  it('a replay of all reports how many were replayed and skipped', async () => {
    const world = await httpWorld();
    const { state } = world;
    const ids = ['conflict', 'conflict', 'conflict', 'conflict', 'not_found'].map(
      (code) => addFailedFakeJob(state, { data: { gameId: `of ${code}` }, reason: `${code}: because` }).jobId,
    );
    // One of them is purged while the others are replayed.
    const unsubscribe = state.onJobChange(() => {
      unsubscribe();
      const purged = ids.find((id) => state.jobs.get(id)?.state === 'failed') ?? '';
      state.removeJob(purged);
    });
    expect(await replayAll(world, { code: 'conflict' })).toEqual([200, { replayed: 3, skipped: 1 }]);
    expect([...state.jobs.values()].map((job) => job.state).sort()).toEqual([
      'failed',
      'waiting',
      'waiting',
      'waiting',
    ]);
  });

  it('a replay of all that stops early reports its progress', async () => {
    const cutShort: HttpParts['deadLetters']['replayAll'] = async (_filter, { onProgress }) => {
      onProgress?.({ done: 7, total: 10 });
      throw new UnavailableError('queue', 'the queue is gone');
    };
    const message = '7 of 10 were processed before the replay stopped: the queue is gone; ask again for the rest';
    const world = await httpWorld({ deadLetters: { ...httpParts().deadLetters, replayAll: cutShort } });
    expect(await replayAll(world, { all: true })).toEqual([503, { error: { code: 'service_unavailable', message } }]);
  });

  it.each([
    ['both a code and "all"', { code: 'conflict', all: true }],
    ['neither a code nor "all"', {}],
    ['an unknown field', { all: true, force: true }],
  ])('a replay with %s is refused', async (_what, payload) => {
    expect(await replayAll(await httpWorld(), payload)).toMatchObject([400, { error: { code: 'invalid_request' } }]);
  });
});
