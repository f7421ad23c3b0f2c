import type { DeadLetterOf, RetentionRecords, SweepLock, SweepReport } from '../../../src/retention/ports.js';
import { createRetention } from '../../../src/retention/retention-service.js';
import type { Retention } from '../../../src/retention/retention-service.js';
import { createFakeRetentionRecords, type Row } from '../../support/fakes/retention-records.js';
import { NOW, RETENTION_MS } from './cases.js';

export interface WorldOptions {
  readonly dead?: ReadonlyMap<string, DeadLetterOf>;
  readonly maxShare?: number;
  /** Called for each request to the queue, before it is carried out. */
  readonly onRequest?: (gameIds: readonly string[]) => Promise<void> | void;
  readonly lock?: SweepLock;
}

export interface RetentionWorld {
  readonly retention: Retention;
  readonly records: RetentionRecords;
  /** The queue's live cleanups, in the order in which they were added. */
  readonly live: Set<string>;
  readonly reports: readonly SweepReport[];
  readonly skipped: readonly string[];
  /** The number of jobs reported to the observer. */
  readonly counted: () => number;
}

export function createWorld(rows: readonly Row[], options: WorldOptions = {}): RetentionWorld {
  const { dead = new Map<string, DeadLetterOf>(), maxShare = 0.5, onRequest } = options;
  const records = createFakeRetentionRecords(
    () => rows,
    () => NOW,
  );
  const live = new Set<string>();
  const reports: SweepReport[] = [];
  const skipped: string[] = [];
  let counted = 0;
  const retention = createRetention(
    {
      records,
      deadLetters: {
        among: async (ids) => new Map([...dead].filter(([gameId]) => ids === 'all' || ids.includes(gameId))),
      },
      requests: {
        request: async (gameIds) => {
          await onRequest?.(gameIds);
          const before = live.size;
          for (const gameId of gameIds) live.add(gameId);
          const enqueued = live.size - before;
          return { enqueued, coalesced: gameIds.length - enqueued };
        },
      },
      lock: options.lock ?? { exclusively: (work) => work() },
      observer: {
        enqueued: (jobs) => {
          counted += jobs;
        },
        skipped: (gameId) => skipped.push(gameId),
        ended: (report) => reports.push(report),
      },
    },
    { retentionMs: RETENTION_MS, maxShare },
  );
  return { retention, records, live, reports, skipped, counted: () => counted };
}
