import { migrateQueueTables } from '../adapters/bullmq/store/postgres-store.js';
import { withUnavailable } from '../adapters/postgres/failure.js';
import { migrate } from '../adapters/postgres/migrate.js';
import { createPool, lending } from '../adapters/postgres/pool.js';
import type { CommandBackend, CommandContext, Opened } from '../cli/command-context.js';
import { createTelemetry } from '../telemetry/telemetry.js';
import { type ShutdownStack, createShutdownStack, opening } from './shutdown-stack.js';
import type { Context } from './context.js';
import { type Database, MIGRATIONS_DIR, openDatabase, reachDatabase } from './connect/database.js';
import { checkDependencies } from './doctor/doctor.js';
import type { ProcessFacts } from './http.js';
import { openQueueBackend } from './connect/queue-store.js';
import { composeQueues, type Queues } from './connect/queue-clients.js';
import { composeRetention, sweepObserverOf } from './retention.js';
import { startService } from './start-service.js';
import { verifyInvariants } from './verify.js';
import { untilAborted } from '../async/clock.js';

/** Somebody waits at a terminal: an outage is told soon. */
const ONE_SHOT_PATIENCE_MS = 5_000;

/** The service, as the command line wants it. */
export function createCommandBackend(facts: ProcessFacts): CommandBackend {
  return {
    migrate: async (session, report) => {
      const closing = createShutdownStack(session.log);
      try {
        const connectionString = await reachDatabase(impatient(session), closing);
        const applied = await migrate({ connectionString, migrationsDir: MIGRATIONS_DIR, report });
        if (session.config.queueBackend === 'postgres') {
          report("bringing the queue's tables up to date");
          await migrateQueue(connectionString, closing);
        }
        return applied;
      } finally {
        await closing.closeAll();
      }
    },
    openReader: (session) => openDatabase(impatient(session)),
    openHolds: (session) => openDatabase(impatient(session)),
    openProducer: (session) =>
      withQueues(session, ({ queues: { producer, endings } }) => ({ queue: producer, endings })),
    openDeadLetters: (session) => withQueues(session, ({ queues: { deadLetters } }) => ({ deadLetters })),
    openRetention: (session) =>
      withQueues(session, ({ database, queues, context }) => ({
        retention: composeRetention(context, {
          records: database.retentionRecords,
          lock: database.sweepLock,
          queue: queues.producer,
          deadLetters: queues.deadLetters,
          // The command says itself how its sweep ended.
          observer: { ...sweepObserverOf(context, createTelemetry(session.clock)), ended: () => undefined },
        }),
      })),
    runService: async (session, role) => {
      const service = await startService(patient(session), { role, telemetry: createTelemetry(session.clock), facts });
      await untilAborted(session.signal);
      session.log.info({}, 'stopping');
      await service.stop();
    },
    checkDependencies: (session) => checkDependencies(impatient(session)),
    verifyInvariants: (session, options) => verifyInvariants(impatient(session), options),
  };
}

interface OpenStores {
  readonly context: Context;
  readonly database: Database;
  readonly queues: Queues;
}

/** Opens database and queue for one command, and what `take` makes of them. */
function withQueues<Taken extends object>(
  session: CommandContext,
  take: (stores: OpenStores) => Taken,
): Promise<Taken & Opened> {
  const context = impatient(session);
  return opening(session.log, async (closing) => {
    const database = await openDatabase(context);
    closing.add('database', database.close);
    const backend = await openQueueBackend(context, database, closing);
    const queues = composeQueues(context, backend, closing);
    return { ...take({ context, database, queues }), close: closing.closeAll };
  });
}

async function migrateQueue(connectionString: string, closing: ShutdownStack): Promise<void> {
  const pool = createPool({ connectionString, applicationName: 'runtime-cleanup migrate', max: 1 }, () => undefined);
  closing.add('pool', () => pool.end());
  await withUnavailable(() => lending(pool)((client) => migrateQueueTables(client)));
}

const impatient = (session: CommandContext): Context => ({ ...session, patienceMs: ONE_SHOT_PATIENCE_MS });

/** A worker that starts before its stores do waits for them, as it waits when they go away later. */
const patient = (session: CommandContext): Context => ({ ...session, patienceMs: Number.POSITIVE_INFINITY });
