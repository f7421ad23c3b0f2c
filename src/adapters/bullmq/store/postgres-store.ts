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

/** The part of `pg.PoolConfig` that this file changes. */
interface PoolConfig {
  /** Session settings, as on the server's command line. */
  readonly options?: string | undefined;
}

interface Options extends Waiting {
  /** A `pg.PoolConfig` with the session in UTC and every time limit set; BullMQ creates its own pools from it. */
  readonly poolConfig: PoolConfig;
  readonly schema?: string | undefined;
  /** Lends one of the caller's connections while `work` runs; rejects when PostgreSQL does not answer. */
  readonly withClient: <T>(work: (client: QueueClient) => Promise<T>) => Promise<T>;
}

const PRODUCER_LIMITS = { max: 4, connectionTimeoutMillis: 1_000, statement_timeout: 9_000, query_timeout: 10_000 };
const EVENTS_LIMITS = { max: 2 };

/**
 * One claim also moves every delayed job that is due. After an outage these may be thousands; under the time limit of
 * ordinary queries each claim would be cancelled again. BullMQ waits for jobs on a LISTEN connection, without a query.
 */
const workerLimits = (concurrency: number): object => ({
  max: concurrency + 2,
  statement_timeout: 60_000,
  query_timeout: 65_000,
});

/**
 * A worker does not wait for the disk. A crash of the server can only undo what a worker wrote: after a lost claim the job
 * is claimed again, after a lost outcome the job runs again and finds its work done. Producers do wait for the disk.
 */
const withoutDiskWait = ({ options = '' }: PoolConfig): PoolConfig => ({
  options: `${options} -c synchronous_commit=off`.trimStart(),
});

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
  const { poolConfig, schema = SCHEMA, withClient, ...waiting } = options;
  await untilAnswered(() => withClient((client) => migrateQueueTables(client, schema)), waiting);
  const { createPostgresBackend, withBackend } = bullmq();
  const Bull = withBackend(createPostgresBackend);
  const at = (limits: object): { connection: Record<string, unknown> } => ({
    connection: { keepAlive: true, ...poolConfig, ...limits, schema },
  });

  return {
    kind: 'postgres',
    queue: async ({ name = CLEANUP_QUEUE, onError, telemetry }) => {
      const options = {
        ...at(PRODUCER_LIMITS),
        defaultJobOptions: jobOptionsFor('postgres'),
        ...(telemetry && { telemetry }),
      };
      const queue = new Bull.Queue<unknown, unknown>(name, options).on('error', onError);
      return whenReady(queue as unknown as JobQueue);
    },
    worker: async (processor, settings, { name = CLEANUP_QUEUE, onError, telemetry }) => {
      const limits = { ...workerLimits(settings.concurrency), ...withoutDiskWait(poolConfig) };
      const options = { ...at(limits), ...workerOptionsFor(settings), ...(telemetry && { telemetry }) };
      const worker = new Bull.Worker<unknown, unknown>(name, processor, options).on('error', onError);
      return whenReady(worker as unknown as JobWorker);
    },
    events: async ({ name = CLEANUP_QUEUE, onError }) => {
      const events = new Bull.QueueEvents(name, { ...at(EVENTS_LIMITS), autorun: false }).on('error', onError);
      return whenReady(events as unknown as JobEvents);
    },
    failedSet: createPostgresFailedSet(withClient, schema),
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
