import { fileURLToPath } from 'node:url';
import { startEmbeddedPostgres } from '../../adapters/postgres/embedded/embedded-postgres.js';
import { createPostgresLeaseStore } from '../../adapters/postgres/lease-store.js';
import { migrate, migrationState } from '../../adapters/postgres/migrations/migrate.js';
import { createPool, type PoolSettings } from '../../adapters/postgres/pool.js';
import type { Stores } from '../../adapters/postgres/rights.js';
import { checkDatabaseServer } from '../../adapters/postgres/session/database-check.js';
import { createSweepLock } from '../../adapters/postgres/sweep-lock.js';
import { isUnverified, UNVERIFIED } from '../../adapters/postgres/session/tls.js';
import { timeIfWritable } from '../../adapters/postgres/writable.js';
import { createPrisma, databaseTime, warmUp } from '../../adapters/prisma/client.js';
import { createContainerLooks } from '../../adapters/prisma/container-looks.js';
import { createEngineRegistry } from '../../adapters/prisma/engine-registry.js';
import { createHolds } from '../../adapters/prisma/holds.js';
import { createOperationLog } from '../../adapters/prisma/operation-log.js';
import { createRecordQueries } from '../../adapters/prisma/record-queries.js';
import { createReopenRecords } from '../../adapters/prisma/reopen-records.js';
import { createRetentionRecords } from '../../adapters/prisma/retention-records.js';
import { createRuntimeRecords } from '../../adapters/prisma/runtime-records.js';
import type { OperationLog, RuntimeRecords } from '../../cleanup/ports.js';
import type { ReopenRecords } from '../../cleanup/reopen.js';
import type { Config } from '../../config/config.js';
import type { RecordQueries } from '../../domain/record-queries.js';
import { shareConnections } from '../../config/connections.js';
import { BugError, messageOf, MigrationError, MigrationForbiddenError } from '../../domain/errors.js';
import type { ContainerLooks, EngineRegistry } from '../../engines/engine-ports.js';
import type { LeaseStore } from '../../lease/lease-store.js';
import type { Holds } from '../../retention/holds.js';
import type { RetentionRecords, SweepLock } from '../../retention/ports.js';
import { openAllOrNone, type ShutdownStack } from '../shutdown-stack.js';
import type { Context } from '../context.js';
import { waitForDependency } from '../wait-for-dependency.js';

type Pool = ReturnType<typeof createPool>;

export interface Database {
  readonly url: string;
  readonly records: RuntimeRecords;
  readonly operations: OperationLog;
  readonly reopenRecords: ReopenRecords;
  readonly queries: RecordQueries;
  readonly leaseStore: LeaseStore;
  readonly retentionRecords: RetentionRecords;
  readonly holds: Holds;
  readonly sweepLock: SweepLock;
  readonly engines: EngineRegistry;
  readonly looks: ContainerLooks;
  /** The time by the database's clock. */
  readonly now: () => Promise<Date>;
  /** The same; rejects with `UnavailableError` where the database answers and cannot be written. */
  readonly nowIfWritable: () => Promise<Date>;
  readonly pool: Pool;
  readonly close: () => Promise<void>;
}

export const MIGRATIONS_DIR = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));

/** Connects the database (starting the embedded one where none is named), migrates it if need be, and waits for it. */
export function openDatabase(context: Context): Promise<Database> {
  return openAllOrNone(context.log, async (closing) => {
    const { database, prisma } = await connect(context, 'runtime-cleanup', closing);
    await waitForDependency(context, 'the database', () => bringUpToDate(context, database.url));
    await waitForDependency(context, 'the database', () => warmUp(prisma));
    return database;
  });
}

/** The database as it is: not migrated, and not asked anything yet. */
export function connectDatabase(context: Context, applicationName: string): Promise<Database> {
  return openAllOrNone(context.log, async (closing) => (await connect(context, applicationName, closing)).database);
}

/** The named database's address, or that of the embedded server, which is started if it does not run. */
export async function reachDatabase({ config, log }: Context, closing: ShutdownStack): Promise<string> {
  const { databaseUrl, dataDir } = config;
  if (databaseUrl !== null) return databaseUrl;
  if (dataDir === null) throw new BugError('the settings name neither a database nor a data folder');
  const server = await startEmbeddedPostgres({
    dataDir,
    log: (line) => log.info({ data_dir: dataDir }, `embedded PostgreSQL: ${line}`),
  });
  closing.add('embedded PostgreSQL', server.stop);
  log.info(
    { data_dir: dataDir, database_url: server.url },
    'embedded PostgreSQL: runs; other services on this machine connect to it with database_url, as this user or as root',
  );
  return server.url;
}

/** Migrates only if something is pending, so that a role without the right to create tables can use a migrated database. */
async function bringUpToDate({ log }: Context, connectionString: string): Promise<void> {
  const { isPooled } = await checkDatabaseServer(connectionString);
  if (isPooled)
    log.info({}, 'a connection pooler stands before the database: each transaction sets what its session needs');
  const where = { connectionString, migrationsDir: MIGRATIONS_DIR };
  const { pending, isTakeoverDue } = await migrationState(where);
  if (pending.length === 0 && !isTakeoverDue) return;
  try {
    const applied = await migrate({ ...where, report: (line) => log.info({}, line) });
    log.info({ applied }, 'database migrated');
  } catch (error) {
    if (!(error instanceof MigrationForbiddenError)) throw error;
    // The rows of an earlier release say the same as ours; the role that owns the tables copies them later.
    if (pending.length === 0) return;
    throw new MigrationError(`${pending.length} migration(s) to apply: ${pending.join(', ')}; ${error.message}`, {
      cause: error,
    });
  }
}

/** What this process keeps in PostgreSQL besides its records. */
export const storesInPostgres = ({ leaseStore, queueBackend, queueDatabaseUrl }: Config): Stores => ({
  leases: leaseStore === 'postgres',
  // At an address of its own the queue may have a role of its own.
  queue: queueBackend === 'postgres' && queueDatabaseUrl === null,
});

interface PoolRequest extends PoolSettings {
  readonly open: (settings: PoolSettings, onIdleError: (error: Error) => void) => Pool;
}

/** A pool and the Prisma client over it; opens no connection yet. */
export function connectPool(
  { log }: Pick<Context, 'log'>,
  { open, ...settings }: PoolRequest,
  closing: Pick<ShutdownStack, 'add'>,
) {
  const pool = open(settings, (error) => log.debug({ reason: messageOf(error) }, 'idle database connection lost'));
  const prisma = createPrisma(pool);
  closing.add('database', async () => {
    try {
      await prisma.$disconnect();
    } finally {
      await pool.end();
    }
  });
  return { pool, prisma };
}

async function connect(context: Context, applicationName: string, closing: ShutdownStack) {
  const url = await reachDatabase(context, closing);
  const { records: max } = shareConnections(context.config);
  const settings = { connectionString: url, applicationName, max, open: createPool };
  const { pool, prisma } = connectPool(context, settings, closing);
  if (isUnverified(pool.options.ssl)) context.log.warn({}, `database: ${UNVERIFIED.what}; ${UNVERIFIED.cure}`);
  const database: Database = {
    url,
    records: createRuntimeRecords({ prisma }),
    operations: createOperationLog({ prisma }),
    reopenRecords: createReopenRecords({ prisma }),
    queries: createRecordQueries({ prisma }),
    leaseStore: createPostgresLeaseStore({ pool }),
    retentionRecords: createRetentionRecords({ prisma }),
    holds: createHolds({ prisma }),
    sweepLock: createSweepLock({ pool }),
    engines: createEngineRegistry({ prisma }),
    looks: createContainerLooks({ prisma }),
    now: () => databaseTime(prisma),
    nowIfWritable: () => timeIfWritable(pool),
    pool,
    close: closing.closeAll,
  };
  return { prisma, database };
}
