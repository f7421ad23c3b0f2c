import { buildApp } from '../../../../src/adapters/http/server.js';
import type { App } from '../../../../src/adapters/http/app.js';
import type { HttpParts, HttpSettings } from '../../../../src/adapters/http/ports.js';
import { systemClock } from '../../../../src/clock.js';
import type { RuntimeRecord } from '../../../../src/domain/runtime-record.js';
import type { CleanupJobData, JobEnding } from '../../../../src/jobs/ports.js';
import type { Judgement } from '../../../../src/retention/retention.js';

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

export const aJudgement = (gameId: string): Judgement => ({
  gameId,
  status: 'stopped',
  containerId: 'c'.repeat(64),
  verdict: 'held',
  stoppedSince: at,
  dueAt: new Date('2026-04-01T00:00:00.000Z'),
  hold: { gameId, reason: 'evidence', heldBy: 'ann', heldUntil: null },
  deadLetter: null,
});

/** Every port answered from memory; override what a test is about. */
export interface HttpWorld {
  readonly app: App;
  readonly enqueued: CleanupJobData[];
  readonly bugs: unknown[];
  readonly answered: { readonly route: string; readonly status: number; readonly requestId: string }[];
  readonly closing: AbortController;
}

export async function httpWorld(
  over: Partial<HttpParts> = {},
  settings: Partial<HttpSettings> & { readonly ending?: JobEnding } = {},
): Promise<HttpWorld> {
  const enqueued: CleanupJobData[] = [];
  const bugs: unknown[] = [];
  const answered: { route: string; status: number; requestId: string }[] = [];
  const { ending } = settings;
  const parts: HttpParts = {
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
    ...over,
  };
  const closing = new AbortController();
  const app = await buildApp(
    parts,
    { host: '127.0.0.1', port: 0, tokens: [], version: '1.2.3', ...settings },
    closing.signal,
  );
  return { app, enqueued, bugs, answered, closing };
}
