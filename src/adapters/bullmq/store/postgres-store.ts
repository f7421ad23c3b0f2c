/* oxlint-disable typescript/no-unsafe-type-assertion -- BullMQ makes the store a type parameter of its classes; this file does not use that part */
import {
  type JobEvents,
  type JobQueue,
  type JobWorker,
  type QueueStore,
  untilAnswered,
  type Waiting,
  whenReady,
} from './queue-store.js';
import { bullmq } from '../library.js';
import { createPostgresFailedSet } from './failed-set-postgres.js';
import { jobOptionsFor, workerOptionsFor } from './job-options.js';
import { CLEANUP_QUEUE, SCHEMA, SWEEP_SCHEDULER } from '../names.js';
import { migrateQueueTables, type QueueClient } from './queue-tables.js';

/** A pool of another owner, as BullMQ uses it: it takes queries, and lends connections. */
type LentPool = object;

/** One pool for all objects of BullMQ; its connections look up tables in `schema`. */
interface QueueConnections {
  /** Waits for the disk. */
  readonly durable: LentPool;
  /** Does not wait for the disk, and takes long claims. */
  readonly worker: LentPool;
  /** Lends one of the connections while `work` runs; rejects when PostgreSQL does not answer. */
  readonly withClient: <T>(work: (client: QueueClient) => Promise<T>) => Promise<T>;
  /** Rejects with `UnavailableError` where PostgreSQL answers and cannot be written. */
  readonly checkWritable: () => Promise<void>;
}

interface Options extends Waiting {
  readonly connections: QueueConnections;
  readonly schema?: string | undefined;
}

/** The lock belongs to the open transaction, so that it ends with it, also behind a pooler that lends a connection per transaction. */
async function withAdvisoryLock<T>(client: QueueClient, key: string, work: () => Promise<T>): Promise<T> {
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [key]);
    return await work();
  } finally {
    await client.query('ROLLBACK');
  }
}

/**
 * Waits until PostgreSQL answers and migrates BullMQ's own tables, both before any object of BullMQ is created.
 * Rejects with `UnavailableError` when PostgreSQL does not answer within the deadline.
 */
export async function openPostgresStore(options: Options): Promise<QueueStore> {
  const { connections, schema = SCHEMA, ...waiting } = options;
  const { durable, worker, withClient } = connections;
  await untilAnswered(() => withClient((client) => migrateQueueTables(client, schema)), waiting);
  const { createPostgresBackend, withBackend } = bullmq();
  const Bull = withBackend(createPostgresBackend);
  // BullMQ knows a pool by its methods, which its type for connections does not have.
  const at = (pool: LentPool): { connection: Record<string, unknown> } => ({ connection: { ...pool } });

  return {
    kind: 'postgres',
    queue: async ({ name = CLEANUP_QUEUE, onError, telemetry }) => {
      const options = {
        ...at(durable),
        defaultJobOptions: jobOptionsFor('postgres'),
        ...(telemetry && { telemetry }),
      };
      const queue = new Bull.Queue<unknown, unknown>(name, options).on('error', onError);
      return whenReady(queue as unknown as JobQueue);
    },
    worker: async (processor, settings, { name = CLEANUP_QUEUE, onError, telemetry }) => {
      const options = { ...at(worker), ...workerOptionsFor(settings), ...(telemetry && { telemetry }) };
      const opened = new Bull.Worker<unknown, unknown>(name, processor, options).on('error', onError);
      return whenReady(opened as unknown as JobWorker);
    },
    events: async ({ name = CLEANUP_QUEUE, onError }) => {
      const events = new Bull.QueueEvents(name, { ...at(durable), autorun: false }).on('error', onError);
      return whenReady(events as unknown as JobEvents);
    },
    failedSet: createPostgresFailedSet(withClient, schema),
    checkWritable: connections.checkWritable,
    withScheduleLock: (work) => withClient((client) => withAdvisoryLock(client, `${schema} ${SWEEP_SCHEDULER}`, work)),
    // The columns are of type jsonb, so they hold valid JSON; it may still be nested too deep for this program to read.
    repairJob: (jobId, queue = CLEANUP_QUEUE) =>
      withClient(async (client) => {
        const text = `UPDATE "${schema}".job SET data = jsonb_build_object('unreadable', left(data::text, 500))
          WHERE queue = $1 AND id = $2`;
        return (await client.query(text, [queue, jobId])).rowCount === 1;
      }),
  };
}
