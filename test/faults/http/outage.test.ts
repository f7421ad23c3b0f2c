import { EventEmitter, once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDeadLetters } from '../../../src/adapters/bullmq/dead-letters/dead-letters.js';
import { createJobWaiter } from '../../../src/adapters/bullmq/lookup/wait-for-jobs.js';
import { createJobLookup } from '../../../src/adapters/bullmq/lookup/job-lookup.js';
import { createCleanupQueue } from '../../../src/adapters/bullmq/producer/cleanup-queue.js';
import type { HttpServer } from '../../../src/adapters/http/http-ports.js';
import { createHttpServer } from '../../../src/adapters/http/server.js';
import { systemClock } from '../../../src/async/clock.js';
import { type QueueSpace, startStore, STORE_KINDS, type TestStore } from '../../support/queue/queue-stores.js';
import { eventually } from '../../support/eventually.js';
import { httpParts, httpSettings } from '../../support/http-parts.js';

const API = '/api/v1/internal';
/** One second, and a margin for a busy machine. */
const AT_ONCE_MS = 1_800;

interface Answer {
  readonly status: number;
  readonly body: { readonly jobId?: string; readonly error?: { readonly code: string } };
  readonly elapsedMs: number;
}

describe.each(STORE_KINDS)('the API while the queue on %s is unavailable', (kind) => {
  let store: TestStore;
  let space: QueueSpace;
  let server: HttpServer;
  let origin: string;
  const calls = new EventEmitter();
  const closers: (() => Promise<void>)[] = [];
  const closed = <Part extends { readonly close: () => Promise<void> }>(part: Part): Part => {
    closers.push(part.close);
    return part;
  };

  const ask = async (method: string, path: string, body?: string): Promise<Answer> => {
    const startedMs = performance.now();
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const answer = await fetch(`${origin}${API}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
    return {
      status: answer.status,
      body: (await answer.json()) as Answer['body'],
      elapsedMs: performance.now() - startedMs,
    };
  };
  const CALLS = [
    ['DELETE', '/runtimes/game-1/container'],
    ['GET', '/cleanups/1'],
    ['GET', '/dead-letters'],
    ['GET', '/dead-letters/1'],
    ['DELETE', '/dead-letters/1'],
    ['POST', '/dead-letters/1/replay'],
    ['POST', '/dead-letters/replay', '{"all":true}'],
  ] as const;

  beforeAll(async () => {
    store = await startStore(kind);
  });
  afterAll(() => store.stop());
  beforeEach(async () => {
    space = await store.space();
    const deps = { backend: space.backend, clock: systemClock, report: space.report };
    const jobWaiter = closed(createJobWaiter(deps));
    server = createHttpServer(
      {
        ...httpParts(),
        queue: closed(createCleanupQueue(deps)),
        jobWaiter: {
          wait: (...asked) => {
            calls.emit('wait');
            return jobWaiter.wait(...asked);
          },
        },
        jobs: closed(createJobLookup(deps)),
        deadLetters: closed(createDeadLetters(deps)),
      },
      httpSettings(),
    );
    origin = `http://127.0.0.1:${await server.listen()}`;
    // Every port connects to the store once, as in a service that has run for a while.
    await eventually(async () => {
      const first = await Promise.all([
        ask('DELETE', '/runtimes/first/container'),
        ask('GET', '/cleanups/none'),
        ask('POST', '/dead-letters/none/replay'),
      ]);
      const statuses = first.map(({ status }) => status).join(' ');
      if (statuses !== '202 404 404') throw new Error(`before the outage the server answered ${statuses}`);
    });
  });
  afterEach(async () => {
    store.proxy.thaw();
    await store.proxy.restore();
    await server.close();
    await Promise.all(closers.splice(0).map((close) => close()));
    await space.close();
  });

  it.each([
    ['is cut off', () => store.proxy.cut()],
    ['hangs', async () => store.proxy.freeze()],
  ])('the API answers 503 within a second to every request when the store %s', async (_how, breakIt) => {
    await breakIt();
    const answers = await Promise.all(CALLS.map(([method, path, body]) => ask(method, path, body)));
    expect(answers.map(({ status, body }) => [status, body.error?.code])).toEqual(
      CALLS.map(() => [503, 'service_unavailable']),
    );
    for (const { elapsedMs } of answers) expect(elapsedMs).toBeLessThan(AT_ONCE_MS);
  });

  it('the API answers again when the store does, and has stored every job that it answered 202 for', async () => {
    const accepted: string[] = [];
    const offer = async (gameId: string): Promise<void> => {
      const { status, body } = await ask('DELETE', `/runtimes/${gameId}/container`);
      expect([202, 503]).toContain(status);
      accepted.push(...(status === 202 ? [body.jobId ?? 'none'] : []));
    };
    const recovered = async (gameId: string): Promise<void> => {
      await offer(gameId);
      expect(accepted.length).toBeGreaterThan(known);
    };
    let known = 0;
    for (let turn = 0; turn < 3; turn++) {
      await eventually(() => recovered(`before-${turn}`));
      const offers = Array.from({ length: 20 }, (_, index) => offer(`game-${turn}-${index}`));
      await store.proxy.cut();
      await Promise.all(offers);
      await store.proxy.restore();
      known = accepted.length;
    }
    await eventually(() => recovered('last'));
    for (const jobId of accepted) expect(await space.plain.getJobState(jobId)).toBe('waiting');
  });

  it('the API answers 202 with the known state when the store hangs while it waits for a job', async () => {
    const headers = { prefer: 'wait=1' };
    const begun = once(calls, 'wait');
    const waiting = fetch(`${origin}${API}/runtimes/game-1/container`, { method: 'DELETE', headers });
    await begun;
    store.proxy.freeze();
    const answer = await waiting;
    // The wait is over while the store still hangs; the server knows only that the job was stored.
    expect([answer.status, await answer.json()]).toEqual([202, { jobId: expect.any(String), state: 'waiting' }]);
  });
});
