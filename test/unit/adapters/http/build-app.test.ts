import { describe, expect, it } from 'vitest';
import { InvalidPageError } from '../../../../src/domain/errors.js';
import { recordToJson } from '../../../../src/domain/result.js';
import { aStoppedRecord, AT, httpParts } from '../../../support/http-parts.js';
import { aRecord } from '../../../support/records.js';
import { API, httpWorld, messageIn } from './http-world.js';

describe('the API', () => {
  it('the API lists records with the time when they are due', async () => {
    const { app } = await httpWorld();
    const answer = await app.inject(`${API}/runtimes?status=stopped&limit=1`);
    expect(answer.json()).toEqual({
      items: [{ ...recordToJson(aStoppedRecord('a')), cleanup_due_at: '2026-04-01T00:00:00.000Z' }],
      next: 'a',
    });
  });

  it('the API shows a record with its retention and hold', async () => {
    const { app, state } = await httpWorld();
    state.holds.set('a', { gameId: 'a', reason: 'evidence', heldBy: 'ann', heldUntil: null });
    const answer = await app.inject(`${API}/runtimes/a`);
    expect(answer.json()).toMatchObject({
      gameId: 'a',
      leaseEpoch: '7',
      retention: { verdict: 'held', hold: { reason: 'evidence', heldBy: 'ann', heldUntil: null } },
    });
  });

  it('the API adds the summary of all records to the first page of the plan only', async () => {
    const { app, state } = await httpWorld();
    for (const [gameId, seconds] of [
      ['late', 5],
      ['later', 3],
    ] as const) {
      const stoppedAt = new Date(AT.getTime() - (31 * 86_400 + seconds) * 1_000);
      state.records.set(gameId, aRecord({ gameId, stoppedAt }));
    }
    const first = (await app.inject(`${API}/retention/plan?limit=1`)).json<{ next: string }>();
    const second = (await app.inject(`${API}/retention/plan?after=${encodeURIComponent(first.next)}`)).json<object>();
    expect([first, second]).toMatchObject([
      { summary: { stopped: 4, due: 2, lagSeconds: 5, retentionSeconds: 31 * 86_400 }, items: [{ gameId: 'late' }] },
      { summary: null, items: [{ gameId: 'later' }] },
    ]);
  });

  it.each([
    ['GET', `${API}/runtimes/missing-game`],
    ['GET', `${API}/cleanups/17`],
    ['GET', `${API}/dead-letters/17`],
    ['GET', '/nowhere'],
    ['POST', `${API}/runtimes`],
  ] as const)('a request to %s %s is answered with 404', async (method, url) => {
    const { app } = await httpWorld();
    const answer = await app.inject({ method, url });
    expect([answer.statusCode, answer.json()]).toMatchObject([404, { error: { code: 'not_found' } }]);
  });

  it.each([
    ['an unknown parameter', '/runtimes?statsu=stopped', 'statsu'],
    ['an unknown status', '/runtimes?status=gone', '(found "gone")'],
    ['a limit of 0', '/runtimes?limit=0', '(found "0")'],
    ['a word as limit', '/runtimes?limit=ten', '(found "ten")'],
    ['an unknown code', '/dead-letters?code=nope', '(found "nope")'],
    ['an invalid time', '/dead-letters?failed_before=yesterday', '(found "yesterday")'],
  ])('a request with %s is refused, and the message names it', async (_what, path, named) => {
    const { app } = await httpWorld();
    const answer = await app.inject(`${API}${path}`);
    expect(answer.statusCode).toBe(400);
    expect(messageIn(answer)).toContain(named);
  });

  it('a cursor that the store refuses is refused', async () => {
    const listRecords = () => Promise.reject(new InvalidPageError('the cursor is invalid'));
    const { app } = await httpWorld({ records: { ...httpParts().records, listRecords } });
    const answer = await app.inject(`${API}/runtimes?after=x`);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toEqual({ error: { code: 'invalid_request', message: 'the cursor is invalid' } });
  });

  it('a bug is answered with the request id only, and its error is logged', async () => {
    const { app, bugs, answered } = await httpWorld({
      jobs: { find: () => Promise.reject(new TypeError('secret inner text')) },
    });
    const answer = await app.inject({ url: `${API}/cleanups/1`, headers: { 'x-request-id': 'r-1' } });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('secret');
    expect(messageIn(answer)).toContain('r-1');
    expect(bugs).toMatchObject([{ message: 'secret inner text' }]);
    expect(answered).toMatchObject([{ route: `${API}/cleanups/:job_id`, status: 500, requestId: 'r-1' }]);
  });
});

describe('the service routes', () => {
  it('the service is ready only when every check passes', async () => {
    const check = { name: 'retention', ok: false, detail: 'no sweep finished' };
    const { app } = await httpWorld({ checkReadiness: async () => [check] });
    const answer = await app.inject('/readyz');
    expect([answer.statusCode, answer.json()]).toEqual([503, { ready: false, checks: [check] }]);
    expect((await app.inject('/healthz')).statusCode).toBe(200);
  });

  it('the metrics route answers 404 when the process has no metrics', async () => {
    const { app } = await httpWorld({ metricsText: undefined });
    expect((await app.inject('/metrics')).statusCode).toBe(404);
  });

  it('the metrics route answers in the text format of Prometheus', async () => {
    const { app } = await httpWorld();
    const answer = await app.inject('/metrics');
    expect([answer.body, answer.headers['content-type']]).toEqual([
      'up 1\n',
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
  });
});
