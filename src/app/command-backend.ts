import { migrateQueueTables } from '../adapters/bullmq/store/queue-tables.js';
import { findEmbeddedPostgres } from '../adapters/postgres/embedded/embedded-postgres.js';
import { withUnavailable } from '../adapters/postgres/failure.js';
import { migrate } from '../adapters/postgres/migrations/migrate.js';
import { createPool, lending } from '../adapters/postgres/pool.js';
import { checkDatabaseServer } from '../adapters/postgres/session/database-check.js';
import { untilAborted } from '../async/clock.js';
import type { CommandBackend, Opened, CommandContext } from '../cli/command-context.js';
import type { SweepObserver } from '../retention/ports.js';
import { createTelemetry } from '../telemetry/metrics.js';
import { createSweepObserver } from '../telemetry/sweep-observer.js';
import { composeCore, type Core } from './compose-core.js';
import { MIGRATIONS_DIR, openDatabase, reachDatabase } from './connect/database.js';
import { namedEngines } from './connect/engine.js';
import { type Context, oneShotContext, serviceContext } from './context.js';
import type { ProcessFacts } from './http.js';
import { createShutdownStack, type ShutdownStack } from './shutdown-stack.js';
import { waitForDependency } from './wait-for-dependency.js';

/** The service, as the command line needs it. What one command alone uses is loaded when that command runs. */
export function createCommandBackend(facts: ProcessFacts): CommandBackend {
  return {
    migrate: migrateStores,
    openReader: (session) => openDatabase(oneShotContext(session)),
    openHolds: (session) => openDatabase(oneShotContext(session)),
    openEngines: async (session) => {
      const { engines, close } = await openDatabase(oneShotContext(session));
      // Located when it is asked for: to accept an engine takes the database only.
      const addresses = () => new Map(namedEngines(session.config).map(({ name, shown }) => [name, shown]));
      return { engines, addresses, close };
    },
    openProducer: (session) => openCore(session, ({ queues: { producer, endings } }) => ({ queue: producer, endings })),
    openDeadLetters: (session) => openCore(session, ({ queues: { deadLetters } }) => ({ deadLetters })),
    openReopening: (session) => openCore(session, ({ reopen }) => ({ reopen })),
    openRetention: (session) => {
      const { metrics } = createTelemetry(session.clock);
      // The command itself prints how its sweep ended.
      const observer = { ...createSweepObserver({ log: session.log, metrics }), ended: () => undefined };
      return openCore(session, ({ retention }) => ({ retention }), observer);
    },
    runService: async (session, role) => {
      const { startService } = await import('./start-service.js');
      const telemetry = createTelemetry(session.clock);
      const service = await startService(serviceContext(session), { role, telemetry, facts });
      await untilAborted(session.signal);
      session.log.info({}, 'stopping');
      await service.stop();
    },
    findDatabase: async ({ config: { dataDir } }) => (dataDir === null ? undefined : findEmbeddedPostgres(dataDir)),
    checkDependencies: async function* (session) {
      const { checkDependencies } = await import('./doctor/doctor.js');
      yield* checkDependencies(oneShotContext(session));
    },
    verifyInvariants: async function* (session, options) {
      const { verifyInvariants } = await import('./verify.js');
      yield* verifyInvariants(oneShotContext(session), options);
    },
  };
}

/** Connects database and queue for one command, and returns the part that the command uses. */
async function openCore<Used extends object>(
  session: CommandContext,
  use: (core: Core) => Used,
  observer?: SweepObserver,
): Promise<Used & Opened> {
  const core = composeCore(oneShotContext(session), observer);
  try {
    await core.connectDatabase();
    await core.connectQueueStore();
    return { ...use(core), close: core.close };
  } catch (error) {
    await core.close();
    throw error;
  }
}

const migrateStores: CommandBackend['migrate'] = async (session, report) => {
  const closing = createShutdownStack(session.log);
  try {
    const context = oneShotContext(session);
    const connectionString = await reachDatabase(context, closing);
    await checkDatabaseServer(connectionString);
    const applied = await migrate({ connectionString, migrationsDir: MIGRATIONS_DIR, report });
    if (session.config.queueBackend === 'postgres') {
      report("bringing the queue's tables up to date");
      await migrateQueue(context, session.config.queueDatabaseUrl ?? connectionString, closing);
    }
    return applied;
  } finally {
    await closing.closeAll();
  }
};

const QUEUE_LOCK_LIMIT_MS = 60_000;

async function migrateQueue(context: Context, connectionString: string, closing: ShutdownStack): Promise<void> {
  const pool = createPool({ connectionString, applicationName: 'runtime-cleanup migrate', max: 1 }, () => undefined);
  closing.add('pool', () => pool.end());
  // A session that holds a lock of these tables is waited for.
  const patient = { ...context, patienceMs: QUEUE_LOCK_LIMIT_MS };
  await waitForDependency(patient, "the queue's tables", () =>
    withUnavailable(() => lending(pool)((client) => migrateQueueTables(client))),
  );
}
