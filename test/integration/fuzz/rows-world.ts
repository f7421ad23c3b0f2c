/** Everything that reads and changes the tables, over a database of its own and an engine that always obeys. */
import { createPostgresLeaseStore } from '../../../src/adapters/postgres/lease-store.js';
import { createOperationLog } from '../../../src/adapters/prisma/operation-log.js';
import { createHolds } from '../../../src/adapters/prisma/holds.js';
import { createRecordQueries } from '../../../src/adapters/prisma/record-queries.js';
import { createRetentionRecords } from '../../../src/adapters/prisma/retention-records.js';
import { createRuntimeRecords } from '../../../src/adapters/prisma/runtime-records.js';
import { createCleanupService } from '../../../src/cleanup/cleanup-service.js';
import { systemClock } from '../../../src/async/clock.js';
import type { CommandBackend } from '../../../src/cli/command-context.js';
import { createLeases } from '../../../src/lease/with-lease.js';
import { newLeaseToken } from '../../../src/app/random.js';
import { createRetention } from '../../../src/retention/retention-service.js';
import { believedEngine } from '../../support/engine/believed-engine.js';
import { openRecordsDatabase } from '../../support/postgres/records-database.js';

const RETENTION_MS = 30 * 86_400_000;

export async function openRowsWorld() {
  const database = await openRecordsDatabase();
  const { pool, prisma } = database;
  await pool.query('ALTER TABLE runtime_records ADD COLUMN theirs text');
  const removed: string[] = [];
  const lost: unknown[] = [];
  const swept: string[] = [];

  const queries = createRecordQueries({ prisma });
  const holds = createHolds({ prisma });
  const leases = createLeases(
    {
      store: createPostgresLeaseStore({ pool }),
      clock: systemClock,
      newToken: newLeaseToken,
      releaseFailed: (_gameId, cause) => void lost.push(cause),
    },
    { ttlMs: 60_000 },
  );
  const service = createCleanupService(
    {
      leases,
      records: createRuntimeRecords({ prisma }),
      log: createOperationLog({ prisma }),
      engines: believedEngine({
        look: async () => ({ kind: 'present', gameLabel: null, activity: 'idle', detail: 'exited' }),
        remove: async (containerId) => {
          removed.push(containerId);
          return { kind: 'gone', ours: true };
        },
        labelled: async () => [],
      }),
      observer: {
        concluded: () => undefined,
        auditRowLost: (_entry, cause) => void lost.push(cause),
        leaseReleaseFailed: (_gameId, cause) => void lost.push(cause),
      },
      clock: systemClock,
    },
    { retentionMs: RETENTION_MS },
  );
  const retention = createRetention(
    {
      records: createRetentionRecords({ prisma }),
      deadLetters: { among: async () => new Map() },
      requests: {
        request: async (gameIds) => {
          swept.push(...gameIds);
          return { enqueued: gameIds.length, coalesced: 0 };
        },
      },
      lock: { exclusively: (work) => work() },
      observer: { enqueued: () => undefined, skipped: () => undefined, ended: () => undefined },
    },
    { retentionMs: RETENTION_MS, maxShare: 1 },
  );
  const close = async () => {};
  const cli: Partial<CommandBackend> = {
    openReader: async () => ({ queries, close }),
    openHolds: async () => ({ holds, queries, close }),
    openRetention: async () => ({ retention, close }),
  };

  return {
    ...database,
    service,
    queries,
    retention,
    cli,
    /** Containers that were removed, rows and leases that could not be written, games that a sweep asked for. */
    told: { removed, lost, swept },
    clear: async () => {
      for (const list of [removed, lost, swept] as unknown[][]) list.length = 0;
      await database.clear();
      await pool.query('TRUNCATE game_leases');
    },
  };
}

export type RowsWorld = Awaited<ReturnType<typeof openRowsWorld>>;
