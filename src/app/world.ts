import { createJobEndings } from '../adapters/bullmq/endings.js';
import { createQueueTelemetry } from '../adapters/bullmq/otel.js';
import { createCleanupQueue } from '../adapters/bullmq/producer.js';
import { migrateQueueTables } from '../adapters/bullmq/postgres-backend.js';
import { withUnavailable } from '../adapters/postgres/failure.js';
import { migrate } from '../adapters/postgres/migrate.js';
import { createPool, lending } from '../adapters/postgres/pool.js';
import type { CliWorld, Session } from '../cli/ports.js';
import { createTelemetry } from '../telemetry/telemetry.js';
import { type Closing, createClosing, opening } from './closing.js';
import type { Context } from './context.js';
import { MIGRATIONS_DIR, openDatabase, reachDatabase } from './database.js';
import { checkDependencies } from './doctor.js';
import { openQueueBackend, queueReport } from './queue.js';
import { startWorker } from './worker.js';

/** Somebody waits at a terminal: an outage is told soon. */
const ONE_SHOT_PATIENCE_MS = 5_000;

/** The service, as the command line wants it; the demonstration stands outside of it. */
export function createWorld(): Omit<CliWorld, 'runDemo'> {
  return {
    migrate: async (session, report) => {
      const closing = createClosing(session.log);
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
    openProducer: (session) =>
      opening(session.log, async (closing) => {
        const context = impatient(session);
        const database = await openDatabase(context);
        closing.add('database', database.close);
        const backend = await openQueueBackend(context, database, closing);
        const parts = { backend, clock: session.clock, report: queueReport(session.log) };
        const queue = createCleanupQueue({ ...parts, telemetry: createQueueTelemetry() });
        closing.add('queue', queue.close);
        const endings = createJobEndings(parts);
        closing.add('endings', endings.close);
        return { queue, endings, close: closing.closeAll };
      }),
    openRetention: () => Promise.reject(new Error('not built yet')),
    openHolds: () => Promise.reject(new Error('not built yet')),
    openDeadLetters: () => Promise.reject(new Error('not built yet')),
    runService: async (session) => {
      const worker = await startWorker(patient(session), createTelemetry(session.clock));
      session.log.info({}, 'taking jobs');
      await aborted(session.signal);
      session.log.info({}, 'stopping');
      await worker.stop();
    },
    checkDependencies: (session) => checkDependencies(impatient(session)),
  };
}

async function migrateQueue(connectionString: string, closing: Closing): Promise<void> {
  const pool = createPool({ connectionString, applicationName: 'runtime-cleanup migrate', max: 1 }, () => undefined);
  closing.add('pool', () => pool.end());
  await withUnavailable(() => lending(pool)((client) => migrateQueueTables(client)));
}

const impatient = (session: Session): Context => ({ ...session, patienceMs: ONE_SHOT_PATIENCE_MS });

/** A worker that starts before its stores do waits for them, as it waits when they go away later. */
const patient = (session: Session): Context => ({ ...session, patienceMs: Number.POSITIVE_INFINITY });

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
