/* oxlint-disable vitest/no-conditional-expect -- a property says what holds in each case */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HttpParts } from '../../../src/adapters/http/build-app.js';
import { problem } from '../../../src/adapters/http/response/schemas.js';
import { UnavailableError, InvalidPageError } from '../../../src/domain/errors.js';
import type { ResultJson } from '../../../src/domain/result.js';
import type { JobResult } from '../../../src/jobs/ports.js';
import { httpParts } from '../../support/http-parts.js';
import { httpWorld, type HttpWorld } from '../adapters/http/http-world.js';
import { fuzz, UNHURRIED } from './fuzzing.js';
import { anyJson, hostileText } from './hostile.js';
import { type Asked, asked, storeWhatIsNamed } from './requests.js';

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: object }>>>>;
}

/** The documented statuses of each code; sizes and content types have their own. */
const STATUSES: Readonly<Record<string, readonly number[]>> = {
  invalid_request: [400, 408, 413, 414, 415, 431],
  unauthorized: [401],
  not_found: [404],
  conflict: [409],
  container_mismatch: [409],
  lease_lost: [409],
  service_unavailable: [503],
};

const isDashboard = (url: string): boolean => url.startsWith('/admin/queues');
const isReadiness = (url: string): boolean => /^\/readyz(?:[?#]|$)/.test(url);

async function answerTo({ app }: HttpWorld, { method, url, headers, body }: Asked) {
  const options = { method: method as 'GET', url, headers, ...(body === undefined ? {} : { payload: body }) };
  return app.inject(options);
}

type Answer = Awaited<ReturnType<typeof answerTo>>;

function expectDocumented(request: Asked, answer: Answer): void {
  const shown = `${request.method} ${request.url} -> ${answer.statusCode} ${answer.body.slice(0, 300)}`;
  const isAnswer = answer.statusCode >= 200 && answer.statusCode !== 500;
  const sniffing = answer.headers['x-content-type-options'];
  expect({ shown, isAnswer, sniffing }).toEqual({ shown, isAnswer: true, sniffing: 'nosniff' });
  if (answer.body !== '' && String(answer.headers['content-type']).startsWith('application/json')) {
    expect(() => answer.json<unknown>()).not.toThrow();
  }
  if (answer.statusCode < 400 || request.method === 'HEAD' || isDashboard(request.url)) return;
  if (isReadiness(request.url) && answer.statusCode === 503) return;
  const { error } = problem.strict().parse(JSON.parse(answer.body));
  const isDocumented = STATUSES[error.code]?.includes(answer.statusCode);
  expect({ shown, isDocumented }).toEqual({ shown, isDocumented: true });
  expect(error.message).not.toBe('');
}

/** The OpenAPI document has this status for this route. */
function expectInDocument(document: Document, { method, url }: Asked, answer: Answer): void {
  const [path = ''] = url.split(/[?#]/, 1);
  const found = Object.entries(document.paths).find(([pattern, item]) => {
    const expression = new RegExp(`^${pattern.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
    return expression.test(path) && method.toLowerCase() in item;
  });
  // Refused before routing: a path that is too long, has an invalid escape or leaves the root.
  if (found === undefined || answer.statusCode === 404 || answer.statusCode === 414) return;
  const operation = found[1][method.toLowerCase()];
  const documented = Object.keys(operation?.responses ?? {});
  // Bodies are parsed before the route decides whether it takes one.
  if (documented.includes('413') || ![413, 415].includes(answer.statusCode)) {
    expect([...documented, `of ${method} ${url}`]).toContain(String(answer.statusCode));
  }
}

describe('a random HTTP request', () => {
  it('a random request is answered as documented and never causes a bug', UNHURRIED, async () => {
    const world = await httpWorld();
    const document = (await world.app.inject('/openapi.json')).json<Document>();
    await fc.assert(
      fc.asyncProperty(asked, async (request) => {
        storeWhatIsNamed(world.state, request.url);
        const answer = await answerTo(world, request);
        expect(world.bugs).toEqual([]);
        expectDocumented(request, answer);
        expectInDocument(document, request, answer);
      }),
      fuzz(1_500),
    );
  });

  it('a random request needs a token when the server has tokens', UNHURRIED, async () => {
    const world = await httpWorld({}, { tokens: ['a-token-of-sixteen'] });
    await fc.assert(
      fc.asyncProperty(asked, async (request) => {
        const answer = await answerTo(world, request);
        expectDocumented(request, answer);
        const isOpen = /^\/(?:healthz|readyz)(?:[?#]|$)/.test(request.url);
        const isOutside = [400, 404, 414].includes(answer.statusCode);
        if (!isOpen && !isOutside) expect(answer.statusCode).toBe(401);
      }),
      fuzz(500),
    );
    expect(world.enqueued).toEqual([]);
  });

  it('a random request is answered as documented when every store fails or refuses the page', UNHURRIED, async () => {
    const failing = (error: Error): Partial<HttpParts> => {
      const fail = async (): Promise<never> => {
        throw error;
      };
      const failed = <T extends object>(port: T): T =>
        Object.fromEntries(Object.keys(port).map((member) => [member, fail])) as unknown as T;
      const { records, queue, jobs, deadLetters, retention, jobWaiter, schedule } = httpParts();
      return {
        records: failed(records),
        queue: failed(queue),
        jobs: failed(jobs),
        deadLetters: failed(deadLetters),
        retention: failed(retention),
        jobWaiter: failed(jobWaiter),
        schedule: failed(schedule),
        countJobs: fail,
      };
    };
    const unavailable = await httpWorld(failing(new UnavailableError('queue', 'unavailable')));
    const noPage = await httpWorld(failing(new InvalidPageError('no such page')));
    await fc.assert(
      fc.asyncProperty(asked, fc.constantFrom(unavailable, noPage), async (request, world) => {
        expectDocumented(request, await answerTo(world, request));
        expect(world.bugs).toEqual([]);
      }),
      fuzz(500),
    );
  });

  it('a request is answered with any data that the queue may contain', UNHURRIED, async () => {
    const time = fc.oneof(fc.date(), fc.constant(new Date(Number.NaN)));
    const ending: fc.Arbitrary<JobResult | null> = fc.oneof(
      fc.constant(null),
      hostileText.map((reason) => ({ jobId: '17', state: 'failed' as const, reason })),
      fc
        .record({
          outcome: fc.constantFrom('success', 'failure'),
          errorCode: fc.constantFrom('', 'replay_no_op', 'conflict'),
          errorMessage: fc.oneof(hostileText, fc.constant(undefined)),
          record: anyJson,
        })
        .map((result) => ({ jobId: '17', state: 'completed' as const, result: result as unknown as ResultJson })),
    );
    await fc.assert(
      fc.asyncProperty(
        hostileText,
        time,
        fc.option(time),
        ending,
        anyJson,
        async (text, at, perhaps, ended, payload) => {
          const attempts = [{ attempt: 1, code: 'conflict' as const, message: text, at: text, traceId: text }];
          const about = { jobId: text, gameId: text, opSource: text, sourceRef: text, enqueuedAt: at, attempts };
          const job = {
            ...about,
            state: 'failed' as const,
            startedAt: perhaps,
            finishedAt: perhaps,
            nextTryAt: perhaps,
          };
          const letter = { ...about, code: 'conflict' as const, message: text, failedAt: at, replays: 0 };
          const { deadLetters } = httpParts();
          const { app, bugs } = await httpWorld({
            jobs: { find: async () => ({ ...job, tries: 1, ending: ended }) },
            deadLetters: {
              ...deadLetters,
              list: async () => ({ items: [letter], next: text }),
              find: async () => ({
                ...letter,
                jobName: text,
                payload,
                pastLives: [{ reason: text, at: text, crashes: 0, attempts }],
              }),
            },
          });
          for (const path of ['cleanups/17', 'dead-letters', 'dead-letters/17'].map(
            (name) => `/api/v1/internal/${name}`,
          )) {
            const answer = await app.inject(path);
            expect([path, answer.statusCode, bugs]).toEqual([path, 200, []]);
            expect(() => answer.json<unknown>()).not.toThrow();
          }
          expect((await app.inject('/admin')).statusCode).toBe(200);
        },
      ),
      fuzz(60),
    );
  });
});
