/* oxlint-disable typescript/no-unsafe-type-assertion -- BullMQ types the store into its classes; nothing here looks at that part */
import { createPostgresBackend, runMigrations, withBackend } from 'bullmq';
import {
  type JobEvents,
  type JobQueue,
  type JobWorker,
  type QueueBackend,
  untilAnswered,
  type Waiting,
  whenReady,
} from './queue-store.js';
import { createPostgresFailedSet } from './failed-set-postgres.js';
import { jobOptionsFor, workerOptionsFor } from './job-options.js';
import { CLEANUP_QUEUE, SCHEMA } from '../names.js';

type Migratable = Parameters<typeof runMigrations>[0];

/** The part of `pg.PoolConfig` that is changed here. */
interface PoolConfig {
  /** Settings of the session, as on the server's command line. */
  readonly options?: string | undefined;
}

interface Options extends Waiting {
  /** A `pg.PoolConfig` with the session in UTC and every time limit set; BullMQ makes its own pools from it. */
  readonly poolConfig: PoolConfig;
  readonly schema?: string | undefined;
  /** Lends one connection of the caller's for as long as `work` runs; rejects when PostgreSQL does not answer. */
  readonly withClient: <T>(work: (client: Migratable) => Promise<T>) => Promise<T>;
}

const PRODUCER_LIMITS = { max: 4, connectionTimeoutMillis: 1_000, statement_timeout: 9_000, query_timeout: 10_000 };
const EVENTS_LIMITS = { max: 2 };

/**
 * One claim also moves every delayed job that is due, which after an outage may be thousands: cut off by a time limit for
 * ordinary queries, it would be cut off again and again. BullMQ waits for jobs on a silent LISTEN connection, no query.
 */
const workerLimits = (concurrency: number): object => ({
  max: concurrency + 2,
  statement_timeout: 60_000,
  query_timeout: 65_000,
});

/**
 * A worker does not wait for the disk. What a crash of the server takes back, it took from a worker: a claim, whose job is
 * claimed again, or an ending, whose job runs again and finds its work done. What producers add does wait.
 */
const withoutDiskWait = ({ options = '' }: PoolConfig): PoolConfig => ({
  options: `${options} -c synchronous_commit=off`.trimStart(),
});

const Bull = withBackend(createPostgresBackend);

/** Brings BullMQ's own tables up to date; needs the right to create schemas in the database. */
export async function migrateQueueTables(client: Migratable, schema = SCHEMA): Promise<void> {
  await runMigrations(client, schema);
}

const INSUFFICIENT_PRIVILEGE = '42501';

/** A role without that right works with tables that another has made; BullMQ itself refuses any that are too old. */
async function migrateIfAllowed(client: Migratable, schema: string): Promise<void> {
  try {
    await migrateQueueTables(client, schema);
  } catch (error) {
    const isForbidden = error instanceof Error && 'code' in error && error.code === INSUFFICIENT_PRIVILEGE;
    if (!isForbidden || !(await hasQueueTables(client, schema))) throw error;
  }
}

async function hasQueueTables(client: Migratable, schema: string): Promise<boolean> {
  const { rowCount } = await client.query(`SELECT WHERE to_regclass($1) IS NOT NULL`, [`"${schema}".job`]);
  return rowCount === 1;
}

/** The lock is the open transaction's, so that it goes with it, also behind a pooler that lends connections for one. */
async function alone<T>(client: Migratable, key: string, work: () => Promise<T>): Promise<T> {
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [key]);
    return await work();
  } finally {
    await client.query('ROLLBACK');
  }
}

/**
 * Waits until PostgreSQL answers and brings BullMQ's own tables up to date, both before anything of BullMQ is made.
 * Rejects with `UnavailableError` when there is no answer within the deadline.
 */
export async function openPostgresBackend(options: Options): Promise<QueueBackend> {
  const { poolConfig, schema = SCHEMA, withClient, ...waiting } = options;
  await untilAnswered(() => withClient((client) => migrateIfAllowed(client, schema)), waiting);
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
    exclusively: (key, work) => withClient((client) => alone(client, `${schema} ${key}`, work)),
    // Its columns are of type jsonb, so what is no JSON was never stored; what is nested too deep for us was.
    mend: (jobId, queue = CLEANUP_QUEUE) =>
      withClient(async (client) => {
        const text = `UPDATE "${schema}".job SET data = jsonb_build_object('unreadable', left(data::text, 500))
          WHERE queue = $1 AND id = $2`;
        return (await client.query(text, [queue, jobId])).rowCount === 1;
      }),
  };
}
