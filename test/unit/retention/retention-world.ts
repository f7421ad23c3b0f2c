import type { DeadLetterOf, SweepLock, SweepReport } from '../../../src/retention/ports.js';
import type { Retention } from '../../../src/retention/retention-service.js';
import { createFakePlatform } from '../../support/fakes/platform.js';
import { createFakeRetentionRecords, type Row } from '../../support/fakes/retention-records.js';
import { createFakeSweepLock, retentionOver } from '../../support/fakes/retention.js';
import { addFailedFakeJob, isLive, jobText, type PlatformState } from '../../support/fakes/state.js';
import { NOW, RETENTION_MS } from './cases.js';

export interface WorldOptions {
  readonly dead?: ReadonlyMap<string, DeadLetterOf>;
  readonly maxShare?: number;
  /** Called for each request to the queue, before it is carried out. */
  readonly onRequest?: (gameIds: readonly string[]) => Promise<void> | void;
  readonly lock?: SweepLock;
  readonly now?: () => Date;
}

export interface RetentionWorld {
  readonly retention: Retention;
  readonly state: PlatformState;
  /** The games of the queue's live cleanups, in the order in which they were added. */
  readonly live: () => readonly string[];
  readonly reports: readonly SweepReport[];
  readonly skipped: readonly string[];
  /** The number of jobs reported to the observer. */
  readonly counted: () => number;
}

export function createWorld(rows: readonly Row[], options: WorldOptions = {}): RetentionWorld {
  const { dead = [], maxShare = 0.5, onRequest, lock = createFakeSweepLock(), now = () => NOW } = options;
  const { state, cleanupQueue, deadLetters } = createFakePlatform();
  for (const [gameId, { jobId, code }] of dead) {
    addFailedFakeJob(state, { data: { gameId }, jobId, reason: `${code}: because` });
  }
  const reports: SweepReport[] = [];
  const skipped: string[] = [];
  let counted = 0;
  const retention = retentionOver(
    {
      records: createFakeRetentionRecords(() => rows, now),
      deadLetters,
      lock,
      cleanupQueue: {
        ...cleanupQueue,
        enqueue: async (requests) => {
          await onRequest?.(requests.map(({ gameId }) => gameId));
          return cleanupQueue.enqueue(requests);
        },
      },
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
  const live = () => [...state.jobs.values()].filter(isLive).map((job) => jobText(job, 'gameId'));
  return { retention, state, live, reports, skipped, counted: () => counted };
}
