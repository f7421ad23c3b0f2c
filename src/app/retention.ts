import type { CleanupQueue } from '../jobs/ports.js';
import type {
  CleanupRequests,
  DeadLetterGames,
  RetentionRecords,
  SweepLock,
  SweepObserver,
} from '../retention/ports.js';
import { createRetention } from '../retention/retention-service.js';
import type { Retention } from '../retention/retention-service.js';
import { createSweepObserver } from '../telemetry/sweep-observer.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { Context } from './context.js';

interface Parts {
  readonly records: RetentionRecords;
  readonly lock: SweepLock;
  readonly queue: CleanupQueue;
  readonly deadLetters: DeadLetterGames;
  readonly observer: SweepObserver;
}

/** The retention plan over the database's records and the queue's dead letters. */
export function composeRetention({ config }: Pick<Context, 'config'>, parts: Parts): Retention {
  const { records, lock, queue, deadLetters, observer } = parts;
  return createRetention(
    {
      records,
      lock,
      deadLetters,
      requests: requestsTo(queue),
      observer,
    },
    { retentionMs: config.retentionMs, maxShare: config.sweepMaxShare },
  );
}

/** Tells log and metrics. */
export const sweepObserverOf = ({ log }: Pick<Context, 'log'>, { metrics }: Telemetry): SweepObserver =>
  createSweepObserver({ log, metrics });

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
