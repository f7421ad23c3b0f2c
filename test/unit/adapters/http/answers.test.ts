import { describe, expect, it } from 'vitest';
import type { HttpParts } from '../../../../src/adapters/http/http-ports.js';
import { UnavailableError } from '../../../../src/domain/errors.js';
import type { ResultJson } from '../../../../src/domain/result.js';
import type { DeadLetterStory } from '../../../../src/jobs/dead-letters.js';
import type { JobResult, JobView } from '../../../../src/jobs/ports.js';
import { httpParts } from '../../../support/http-parts.js';
import { httpWorld } from './http-world.js';

const API = '/api/v1/internal';
const NO_TIME = new Date(Number.NaN);
const defaults = httpParts({ enqueued: [], bugs: [], answered: [] });
const lettersWith = (over: Partial<HttpParts['deadLetters']>) => ({
  deadLetters: { ...defaults.deadLetters, ...over },
});

const aJob = (over: Partial<JobView> = {}): JobView => ({
  jobId: '17',
  gameId: 'a',
  opSource: 'gm_rest',
  sourceRef: '',
  state: 'completed',
  enqueuedAt: new Date(0),
  startedAt: new Date(1),
  finishedAt: new Date(2),
  nextTryAt: null,
  tries: 1,
  attempts: [],
  ending: null,
  ...over,
});
const completedWith = (result: object): JobResult => ({
  jobId: '17',
  state: 'completed',
  result: result as ResultJson,
});

const aStory = (payload: unknown): DeadLetterStory => ({
  jobId: '9',
  gameId: '',
  opSource: '',
  sourceRef: '',
  code: 'internal_error',
  message: 'broken',
  failedAt: NO_TIME,
  enqueuedAt: new Date(0),
  replays: 0,
  jobName: 'cleanup_container',
  payload,
  attempts: [],
  pastLives: [],
});

describe('a cleanup', () => {
  it('that became a dead letter tells code and message apart', async () => {
    const ending: JobResult = { jobId: '17', state: 'failed', reason: 'conflict: it runs: still' };
    const { app } = await httpWorld({ jobs: { find: async () => aJob({ state: 'failed', ending }) } });
    const answer = await app.inject(`${API}/cleanups/17`);
    expect(answer.json()).toMatchObject({ failure: { code: 'conflict', message: 'it runs: still' }, result: null });
  });

  it.each([
    ['a record of another version', { outcome: 'success', errorCode: '', errorMessage: '', record: { game: 'a' } }],
    ['no message', { outcome: 'success', errorCode: '', record: null }],
  ])('is told of whatever its worker wrote: %s', async (_what, result) => {
    const { app, bugs } = await httpWorld({ jobs: { find: async () => aJob({ ending: completedWith(result) }) } });
    const answer = await app.inject(`${API}/cleanups/17`);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({ result: { outcome: 'success', errorMessage: '', record: null } });
    expect(bugs).toEqual([]);
  });

  it('is told of though its times are none', async () => {
    const job = aJob({ enqueuedAt: NO_TIME, startedAt: NO_TIME, finishedAt: null });
    const { app } = await httpWorld({ jobs: { find: async () => job } });
    const answer = await app.inject(`${API}/cleanups/17`);
    expect(answer.json()).toMatchObject({ enqueuedAt: '', startedAt: '', finishedAt: null });
  });

  it.each([
    ['declined', { outcome: 'failure', errorCode: 'conflict', errorMessage: 'it runs', record: null }, 409],
    [
      'succeeded, as another version tells it',
      { outcome: 'success', errorCode: '', errorMessage: '', record: {} },
      500,
    ],
  ])('that was waited for and %s is no success', async (_what, result, status) => {
    const { app } = await httpWorld({}, { ending: completedWith(result) });
    const headers = { prefer: 'wait=5' };
    const answer = await app.inject({ method: 'DELETE', url: `${API}/runtimes/a/container`, headers });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['location']).toBe(`${API}/cleanups/17`);
  });

  it.each([
    ['the time is over', { ending: undefined, state: 'delayed' }, 'delayed'],
    ['the queue forgot it', { ending: { jobId: '17', state: 'missing' } as const, state: undefined }, 'unknown'],
  ])('that was waited for is answered 202 with its newest state when %s', async (_what, { ending, state }, shown) => {
    const find = async () => (state === undefined ? undefined : aJob({ state: 'delayed' }));
    const { app } = await httpWorld({ jobs: { find } }, ending === undefined ? {} : { ending });
    const headers = { prefer: 'wait=0' };
    const answer = await app.inject({ method: 'DELETE', url: `${API}/runtimes/a/container`, headers });
    expect([answer.statusCode, answer.json()]).toEqual([202, { jobId: '17', state: shown }]);
  });

  it.each(['GM', ' gm ', 'gm'])('by %j is the game master’s', async (caller) => {
    const { app, enqueued } = await httpWorld();
    const headers = { 'x-galaxy-caller': caller };
    await app.inject({ method: 'DELETE', url: `${API}/runtimes/a/container`, headers });
    expect(enqueued).toMatchObject([{ opSource: 'gm_rest', sourceRef: expect.stringMatching(/^[0-9a-f-]{36}$/) }]);
  });
});

describe('a dead letter', () => {
  const nested = (): unknown => {
    let value: unknown = {};
    for (let depth = 0; depth < 20_000; depth++) value = [value];
    return value;
  };

  it.each([
    ['text', 'no object', 'no object'],
    ['nothing', undefined, null],
    ['data nested too deep to be written', nested(), '(not shown: nested too deep)'],
  ])('with a payload of %s is shown', async (_what, payload, shown) => {
    const { app } = await httpWorld(lettersWith({ find: async () => aStory(payload) }));
    const answer = await app.inject(`${API}/dead-letters/9`);
    expect([answer.statusCode, answer.json()]).toMatchObject([200, { payload: shown, failedAt: '' }]);
  });

  const ROWS: readonly ['POST' | 'DELETE', string, Partial<HttpParts['deadLetters']>, number][] = [
    ['POST', '/dead-letters/9/replay', { replay: async () => ({ status: 'missing' }) }, 404],
    ['DELETE', '/dead-letters/9', { purge: async () => ({ status: 'missing' }) }, 404],
    ['DELETE', '/dead-letters/9', { purge: async () => ({ status: 'live', state: 'active' }) }, 409],
  ];
  it.each(ROWS)('that is none is not there for %s %s', async (method, path, over, status) => {
    const { app } = await httpWorld(lettersWith(over));
    expect((await app.inject({ method, url: `${API}${path}` })).statusCode).toBe(status);
  });

  it('that somebody else has replayed is told of as it stands', async () => {
    const { app } = await httpWorld(lettersWith({ replay: async () => ({ status: 'live', state: 'active' }) }));
    const answer = await app.inject({ method: 'POST', url: `${API}/dead-letters/9/replay` });
    expect([answer.statusCode, answer.json()]).toEqual([202, { jobId: '9', status: 'live', state: 'active' }]);
  });

  it('and others with it, of which a replay was cut short, are counted as far as it came', async () => {
    const replayAll: HttpParts['deadLetters']['replayAll'] = async (_filter, { onProgress }) => {
      onProgress?.({ done: 7, total: 10 });
      throw new UnavailableError('queue', 'the queue is gone');
    };
    const { app } = await httpWorld(lettersWith({ replayAll }));
    const answer = await app.inject({ method: 'POST', url: `${API}/dead-letters/replay`, payload: { all: true } });
    const message = '7 of 10 were dealt with before it ended: the queue is gone; ask again for the rest';
    expect([answer.statusCode, answer.json()]).toEqual([503, { error: { code: 'service_unavailable', message } }]);
  });
});

describe('besides', () => {
  it('the plan counts everything on its first page only', async () => {
    const { app } = await httpWorld();
    const summaries = await Promise.all(
      ['', '?after=x'].map(async (query) => (await app.inject(`${API}/retention/plan${query}`)).json<object>()),
    );
    expect(summaries).toMatchObject([{ summary: { due: 1, lagSeconds: 5, retentionSeconds: 60 } }, { summary: null }]);
  });

  it('metrics that nobody keeps are not there', async () => {
    const { app } = await httpWorld({ metricsText: undefined });
    expect((await app.inject('/metrics')).statusCode).toBe(404);
  });

  it('metrics come in the text format of Prometheus', async () => {
    const { app } = await httpWorld();
    const answer = await app.inject('/metrics');
    expect([answer.body, answer.headers['content-type']]).toEqual([
      'up 1\n',
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
  });

  it('a browser’s word on its own pages counts for more than a host that a proxy has changed', async () => {
    const { app } = await httpWorld({}, { tokens: ['a-token-of-sixteen'] });
    const headers = { host: 'inner:8096', origin: 'https://outer.example', authorization: 'Bearer a-token-of-sixteen' };
    const ask = async (more: object): Promise<number> => {
      const url = `${API}/dead-letters/1/replay`;
      return (await app.inject({ method: 'POST', url, headers: { ...headers, ...more } })).statusCode;
    };
    expect(await ask({ 'sec-fetch-site': 'same-origin' })).toBe(202);
    expect(await ask({ 'sec-fetch-site': 'same-site' })).toBe(401);
    expect(await ask({})).toBe(401);
  });
});
