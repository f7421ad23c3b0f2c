import { describe, expect, it } from 'vitest';
import type { HttpParts } from '../../../../../src/adapters/http/build-app.js';
import { UnavailableError } from '../../../../../src/domain/errors.js';
import type { DeadLetterStory } from '../../../../../src/jobs/dead-letters.js';
import { httpParts } from '../../../../support/http-parts.js';
import { API, httpWorld } from '../http-world.js';

type DeadLetterPort = HttpParts['deadLetters'];

const worldWith = (over: Partial<DeadLetterPort>) =>
  httpWorld({ deadLetters: { ...httpParts().deadLetters, ...over } });

const aStory = (payload: unknown): DeadLetterStory => ({
  jobId: '9',
  gameId: '',
  opSource: '',
  sourceRef: '',
  code: 'internal_error',
  message: 'broken',
  failedAt: new Date(Number.NaN),
  enqueuedAt: new Date(0),
  replays: 0,
  jobName: 'cleanup_container',
  payload,
  attempts: [],
  pastLives: [],
});

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
  ])('with a payload of %s is shown', async (_what, payload, shown) => {
    const { app } = await worldWith({ find: async () => aStory(payload) });
    const answer = await app.inject(`${API}/dead-letters/9`);
    expect([answer.statusCode, answer.json()]).toMatchObject([200, { payload: shown, failedAt: '' }]);
  });

  const MISSING = async () => ({ status: 'missing' }) as const;
  const ACTIVE = async () => ({ status: 'live', state: 'active' }) as const;
  const REPLAYED = { jobId: '9', status: 'replayed', state: 'waiting' };
  const PURGED = '';
  const ROWS: readonly [what: string, 'POST' | 'DELETE', Partial<DeadLetterPort>, status: number, body: unknown][] = [
    ['a replay', 'POST', {}, 202, REPLAYED],
    ['a replay of a missing job', 'POST', { replay: MISSING }, 404, { error: { code: 'not_found' } }],
    ['a replay of a live job', 'POST', { replay: ACTIVE }, 202, { jobId: '9', status: 'live', state: 'active' }],
    ['a purge', 'DELETE', {}, 204, PURGED],
    ['a purge of a missing job', 'DELETE', { purge: MISSING }, 404, { error: { code: 'not_found' } }],
    ['a purge of a live job', 'DELETE', { purge: ACTIVE }, 409, { error: { code: 'conflict' } }],
  ];
  it.each(ROWS)('%s (%s) is answered with its outcome', async (_what, method, over, status, body) => {
    const { app } = await worldWith(over);
    const url = `${API}/dead-letters/9${method === 'POST' ? '/replay' : ''}`;
    const answer = await app.inject({ method, url });
    expect([answer.statusCode, answer.body === '' ? '' : answer.json()]).toMatchObject([status, body]);
  });
});

describe('a replay of all dead letters', () => {
  const replayAll = async (over: Partial<DeadLetterPort>, payload: object) => {
    const { app } = await worldWith(over);
    const answer = await app.inject({ method: 'POST', url: `${API}/dead-letters/replay`, payload });
    return [answer.statusCode, answer.json<unknown>()];
  };

  it('answers how many were replayed and skipped', async () => {
    expect(await replayAll({}, { code: 'conflict' })).toEqual([200, { replayed: 3, skipped: 1 }]);
  });

  it('that is cut short answers how far it came', async () => {
    const cutShort: DeadLetterPort['replayAll'] = async (_filter, { onProgress }) => {
      onProgress?.({ done: 7, total: 10 });
      throw new UnavailableError('queue', 'the queue is gone');
    };
    const message = '7 of 10 were processed before the replay stopped: the queue is gone; ask again for the rest';
    expect(await replayAll({ replayAll: cutShort }, { all: true })).toEqual([
      503,
      { error: { code: 'service_unavailable', message } },
    ]);
  });

  it.each([
    ['both a code and "all"', { code: 'conflict', all: true }],
    ['neither a code nor "all"', {}],
    ['an unknown field', { all: true, force: true }],
  ])('with %s is refused', async (_what, payload) => {
    expect(await replayAll({}, payload)).toMatchObject([400, { error: { code: 'invalid_request' } }]);
  });
});
