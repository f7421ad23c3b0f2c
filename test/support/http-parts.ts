import type { AnsweredRequest, HttpParts } from '../../src/adapters/http/http-ports.js';
import { systemClock } from '../../src/async/clock.js';
import type { RuntimeRecord } from '../../src/domain/runtime-record.js';
import type { CleanupJobData, JobResult } from '../../src/jobs/ports.js';
import type { Judgement } from '../../src/retention/judge-record.js';

const at = new Date('2026-03-01T00:00:00.000Z');

export const aRecord = (gameId: string): RuntimeRecord => ({
  gameId,
  status: 'stopped',
  currentContainerId: 'c'.repeat(64),
  currentImageRef: 'image:1',
  engineEndpoint: '',
  statePath: '',
  dockerNetwork: '',
  startedAt: at,
  stoppedAt: at,
  removedAt: null,
  lastOpAt: at,
  createdAt: at,
  leaseEpoch: 7n,
});

const aJudgement = (gameId: string): Judgement => ({
  gameId,
  status: 'stopped',
  containerId: 'c'.repeat(64),
  verdict: 'held',
  stoppedSince: at,
  dueAt: new Date('2026-04-01T00:00:00.000Z'),
  hold: { gameId, reason: 'evidence', heldBy: 'ann', heldUntil: null },
  deadLetter: null,
});

/** What a server made of the parts below was asked for, and what it told. */
export interface HttpRecords {
  readonly enqueued: CleanupJobData[];
  readonly bugs: unknown[];
  readonly answered: AnsweredRequest[];
}

/** Every port answered from memory. Jobs never end unless `ending` says how. */
export function httpParts({ enqueued, bugs, answered }: HttpRecords, ending?: JobResult): HttpParts {
  return {
    records: {
      listRecords: async ({ limit }) => ({ items: [aRecord('a'), aRecord('b')].slice(0, limit), next: 'b' }),
      findRecord: async (gameId) => (gameId === 'nobody' ? undefined : aRecord(gameId)),
      listOperations: async () => ({ items: [], next: null }),
    },
    queue: {
      enqueue: async (requests) => {
        enqueued.push(...requests);
        return requests.map(({ gameId }) => ({ jobId: '17', gameId, state: 'waiting', coalesced: false }));
      },
      close: async () => {},
    },
    endings: {
      wait: (_ids, onEnd, signal) =>
        new Promise((resolve, reject) => {
          const abort = (): void => reject(signal.reason as Error);
          if (ending !== undefined) resolve(onEnd(ending));
          else if (signal.aborted) abort();
          else signal.addEventListener('abort', abort);
        }),
      close: async () => {},
    },
    jobs: { find: async () => undefined },
    deadLetters: {
      list: async () => ({ items: [], next: null }),
      find: async () => undefined,
      countByCode: async () => ({}),
      replay: async () => ({ status: 'replayed' }),
      purge: async () => ({ status: 'purged' }),
      replayAll: async () => ({ done: 3, skipped: 1 }),
      purgeAll: async () => ({ done: 0, skipped: 0 }),
      close: async () => {},
    },
    retention: {
      plan: async () => ({ asOf: at, items: [aJudgement('a')], next: null }),
      judge: async (gameIds) => new Map(gameIds.map((id) => [id, aJudgement(id)])),
      summary: async () => ({
        asOf: at,
        running: 1,
        stopped: 2,
        removed: 3,
        due: 1,
        held: 1,
        deadLetters: 0,
        lagMs: 5_000,
        retentionMs: 60_000,
        refusal: null,
      }),
      sweep: async () => ({ status: 'busy' }),
    },
    schedule: { status: async () => ({ everyMs: 1_000, next: at, last: null, lastFailure: null }) },
    countJobs: async () => ({ waiting: 4, delayed: 2, active: 1 }),
    checkReadiness: async () => [{ name: 'database', ok: true, detail: 'fine' }],
    metricsText: async () => 'up 1\n',
    board: (scope, _options, done) => {
      scope.get('/', async (_request, reply) => reply.type('text/html').send('<p>board</p>'));
      scope.put('/api/queues/:queueName/:jobId/retry', async () => ({}));
      scope.put('/api/queues/:queueName/empty', async () => ({}));
      done();
    },
    observer: {
      answered: (request) => void answered.push(request),
      failed: (_request, cause) => void bugs.push(cause),
    },
    clock: systemClock,
  };
}
