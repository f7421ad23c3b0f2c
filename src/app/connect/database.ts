import { fileURLToPath } from 'node:url';
import { startEmbeddedPostgres } from '../../adapters/postgres/embedded/embedded-postgres.js';
import { createPostgresLeaseStore } from '../../adapters/postgres/lease-store.js';
import { migrate, pendingMigrations } from '../../adapters/postgres/migrate.js';
import { createPool } from '../../adapters/postgres/pool.js';
import { createSweepLock } from '../../adapters/postgres/sweep-lock.js';
import { createPrisma, databaseTime, warmUp } from '../../adapters/prisma/client.js';
import { createHolds } from '../../adapters/prisma/holds.js';
import { createOperationLog } from '../../adapters/prisma/operation-log.js';
import { createRecordQueries } from '../../adapters/prisma/record-queries.js';
import { createRetentionRecords } from '../../adapters/prisma/retention-records.js';
import { createRuntimeRecords } from '../../adapters/prisma/runtime-records.js';
import type { OperationLog, RuntimeRecords } from '../../cleanup/ports.js';
import type { RecordQueries } from '../../domain/record-queries.js';
import { messageOf } from '../../domain/errors.js';
import type { LeaseStore } from '../../lease/lease-store.js';
import type { Holds } from '../../retention/holds.js';
import type { RetentionRecords, SweepLock } from '../../retention/ports.js';
import { type ShutdownStack, opening } from '../shutdown-stack.js';
import type { Context } from '../context.js';
import { waitForDependency } from '../wait-for-dependency.js';

type Pool = ReturnType<typeof createPool>;

export interface Database {
  readonly url: string;
  readonly records: RuntimeRecords;
  readonly operations: OperationLog;
  readonly queries: RecordQueries;
  readonly leaseStore: LeaseStore;
  readonly retentionRecords: RetentionRecords;
  readonly holds: Holds;
  readonly sweepLock: SweepLock;
  /** What time it is by the database's clock. */
  readonly now: () => Promise<Date>;
  readonly pool: Pool;
  readonly close: () => Promise<void>;
}

export const MIGRATIONS_DIR = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));

/** Connections of one process beyond those its jobs use: people's queries, a sweep and its lock, the health check. */
const SPARE_CONNECTIONS = 6;

/** Reaches the database (starting the embedded one where none is named), migrates it if need be, and opens a pool. */
export function openDatabase(context: Context): Promise<Database> {
  return opening(context.log, async (closing) => {
    const url = await reachDatabase(context, closing);
    await waitForDependency(context, 'the database', () => bringUpToDate(context, url));
    const { prisma, database } = connect(context, url, closing);
    await waitForDependency(context, 'the database', () => warmUp(prisma));
    return database;
  });
}

/** The named database's address, or that of the embedded server, which is started if it does not run. */
export async function reachDatabase({ config, log }: Context, closing: ShutdownStack): Promise<string> {
  if (config.databaseUrl !== null) return config.databaseUrl;
  const server = await startEmbeddedPostgres({
    dataDir: config.dataDir,
    log: (line) => log.info({ data_dir: config.dataDir }, `embedded PostgreSQL: ${line}`),
  });
  closing.add('embedded PostgreSQL', server.stop);
  return server.url;
}

/** Looks before it migrates, so that a role that may not create tables can still run against a migrated database. */
async function bringUpToDate({ log }: Context, connectionString: string): Promise<void> {
  const where = { connectionString, migrationsDir: MIGRATIONS_DIR };
  if ((await pendingMigrations(where)).length === 0) return;
  const applied = await migrate({ ...where, report: (line) => log.info({}, line) });
  log.info({ applied }, 'database migrated');
}

function connect({ config, log }: Context, url: string, closing: ShutdownStack) {
  // A job uses one connection at a time, and its lease's renewal a second one.
  const max = 2 * config.workerConcurrency + SPARE_CONNECTIONS;
  const pool = createPool({ connectionString: url, applicationName: 'runtime-cleanup', max }, (error) =>
    log.debug({ reason: messageOf(error) }, 'idle database connection lost'),
  );
  closing.add('database pool', () => pool.end());
  const prisma = createPrisma(pool);
  closing.add('prisma client', () => prisma.$disconnect());
  const database: Database = {
    url,
    records: createRuntimeRecords({ prisma }),
    operations: createOperationLog({ prisma }),
    queries: createRecordQueries({ prisma }),
    leaseStore: createPostgresLeaseStore({ pool }),
    retentionRecords: createRetentionRecords({ prisma }),
    holds: createHolds({ prisma }),
    sweepLock: createSweepLock({ pool }),
    now: () => databaseTime(prisma),
    pool,
    close: closing.closeAll,
  };
  return { prisma, database };
}
