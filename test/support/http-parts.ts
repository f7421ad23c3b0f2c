import type { HttpParts } from '../../src/adapters/http/build-app.js';
import type { AnsweredRequest, HttpSettings, OperatorAction } from '../../src/adapters/http/http-ports.js';
import { systemClock } from '../../src/async/clock.js';
import { failure } from '../../src/domain/result.js';
import { isLoopback } from '../../src/config/http-address.js';
import type { CleanupJobData, JobState } from '../../src/jobs/ports.js';
import { createFakePlatform, type FakePlatform } from './fakes/platform.js';
import type { PlatformState } from './fakes/state.js';
import { aRecord } from './records.js';

export const AT = new Date('2026-03-01T00:00:00.000Z');
const RETENTION_MS = 31 * 86_400_000;

/** A record that stopped just now: it is due on 2026-04-01. */
export const aStoppedRecord = (gameId: string) => aRecord({ gameId, stoppedAt: AT, lastOpAt: AT });

/** The stores and the queue in memory, with the stopped games `a` and `b` and nothing else. */
export function httpPlatform(): FakePlatform {
  const platform = createFakePlatform({ retention: { retentionMs: RETENTION_MS, maxShare: 0.5 } });
  for (const gameId of ['a', 'b']) platform.state.records.set(gameId, aStoppedRecord(gameId));
  return platform;
}

/** A server on any free port of loopback, without tokens. */
export const httpSettings = (over: Partial<HttpSettings> = {}): HttpSettings => ({
  host: '127.0.0.1',
  port: 0,
  tokens: [],
  version: '1.2.3',
  isLoopback,
  ...over,
});

/** What a server over the fakes below enqueued and reported. */
export interface HttpObservations {
  readonly enqueued: CleanupJobData[];
  readonly bugs: unknown[];
  readonly answered: AnsweredRequest[];
  readonly actions: OperatorAction[];
}

export const noObservations = (): HttpObservations => ({ enqueued: [], bugs: [], answered: [], actions: [] });

/** Every port answers from the platform. */
export function httpParts(
  { enqueued, bugs, answered, actions }: HttpObservations = noObservations(),
  { state, recordQueries, cleanupQueue, ...platform }: FakePlatform = httpPlatform(),
): HttpParts {
  return {
    records: recordQueries,
    queue: {
      enqueue: (requests) => {
        enqueued.push(...requests);
        return cleanupQueue.enqueue(requests);
      },
    },
    jobWaiter: platform.jobWaiter,
    jobs: platform.jobLookup,
    deadLetters: platform.deadLetters,
    retention: platform.retention,
    reopen: async () => failure('not_found', 'there is no runtime record of this game'),
    schedule: platform.sweepSchedule,
    engines: platform.engines,
    isBreakerOpen: () => undefined,
    countJobs: async () => ({
      waiting: countIn(state, 'waiting'),
      delayed: countIn(state, 'delayed'),
      active: countIn(state, 'active'),
    }),
    checkReadiness: async () => [{ name: 'database', ok: true, detail: 'fine' }],
    metricsText: async () => 'up 1\n',
    /** A page and one allowed and one refused command, under the paths of the real dashboard. */
    board: (scope, _options, done) => {
      scope.get('/', async (_request, reply) => reply.type('text/html').send('<p>board</p>'));
      scope.put('/api/queues/:queueName/:jobId/retry', async () => ({}));
      scope.put('/api/queues/:queueName/empty', async () => ({}));
      done();
    },
    observer: {
      answered: (request) => void answered.push(request),
      operatorActed: (action) => void actions.push(action),
      failed: (_request, cause) => void bugs.push(cause),
    },
    clock: systemClock,
  };
}

const countIn = ({ jobs }: PlatformState, state: JobState): number =>
  [...jobs.values()].filter((job) => job.state === state).length;
