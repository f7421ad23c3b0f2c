import type { CleanupQueue } from '../jobs/ports.js';
import type { CleanupRequests, DeadLetterGames, RetentionRecords, SweepLock } from '../retention/ports.js';
import { createRetention } from '../retention/retention-service.js';
import type { Retention } from '../retention/retention.js';
import { createSweepObserver } from '../telemetry/sweep-observer.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { Context } from './context.js';

interface Parts {
  readonly records: RetentionRecords;
  readonly lock: SweepLock;
  readonly queue: CleanupQueue;
  readonly deadLetters: DeadLetterGames;
  readonly telemetry: Telemetry;
}

/** The retention plan over the database's records and the queue's dead letters. */
export function composeRetention({ config, log }: Pick<Context, 'config' | 'log'>, parts: Parts): Retention {
  const { records, lock, queue, deadLetters, telemetry } = parts;
  return createRetention(
    {
      records,
      lock,
      deadLetters,
      requests: requestsTo(queue),
      observer: createSweepObserver({ log, metrics: telemetry.metrics }),
    },
    { retentionMs: config.retentionMs, maxShare: config.sweepMaxShare },
  );
}

/** What a sweep asks for, as jobs. */
export function requestsTo(queue: CleanupQueue): CleanupRequests {
  return {
    request: async (gameIds) => {
      const jobs = await queue.enqueue(gameIds.map((gameId) => ({ gameId, opSource: 'auto_ttl' })));
      const coalesced = jobs.filter((job) => job.coalesced).length;
      return { enqueued: jobs.length - coalesced, coalesced };
    },
  };
}
