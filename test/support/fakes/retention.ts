import { requestsTo } from '../../../src/app/compose-core.js';
import type { CleanupQueue } from '../../../src/jobs/ports.js';
import type { DeadLetterGames, RetentionRecords, SweepLock, SweepObserver } from '../../../src/retention/ports.js';
import { createRetention } from '../../../src/retention/retention-service.js';
import type { Retention } from '../../../src/retention/retention-service.js';
import { createFakeRetentionRecords } from './retention-records.js';
import type { PlatformState } from './state.js';

export interface RetentionStores {
  readonly records: RetentionRecords;
  readonly lock: SweepLock;
  readonly cleanupQueue: CleanupQueue;
  readonly deadLetters: DeadLetterGames;
  readonly observer?: SweepObserver;
}

export interface RetentionSettings {
  readonly retentionMs: number;
  readonly maxShare: number;
}

const SILENT: SweepObserver = { enqueued: () => undefined, skipped: () => undefined, ended: () => undefined };

export const DEFAULT_RETENTION: RetentionSettings = { retentionMs: 30 * 86_400_000, maxShare: 0.5 };

/** The real service over the given stores. */
export function retentionOver(
  { cleanupQueue, observer = SILENT, ...stores }: RetentionStores,
  settings: RetentionSettings = DEFAULT_RETENTION,
): Retention {
  return createRetention({ ...stores, requests: requestsTo(cleanupQueue), observer }, settings);
}

export const recordsOf = ({ records, holds, clock }: PlatformState): RetentionRecords =>
  createFakeRetentionRecords(
    () =>
      [...records.values()].map(({ gameId, status, currentContainerId, stoppedAt, lastOpAt }) => ({
        gameId,
        status,
        containerId: currentContainerId,
        sinceMs: (stoppedAt ?? lastOpAt).getTime(),
        hold: holds.get(gameId) ?? null,
      })),
    clock.now,
  );

/** Lets one sweep run at a time. */
export function createFakeSweepLock(): SweepLock {
  let held = false;
  return {
    exclusively: async (work) => {
      if (held) return 'busy';
      held = true;
      try {
        return await work();
      } finally {
        held = false;
      }
    },
  };
}
