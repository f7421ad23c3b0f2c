/**
 * The connections of the queue in PostgreSQL: one pool, shared by every object of BullMQ in this process.
 *
 * - Each worker and each listener to events keeps one connection for as long as it is open (`LISTEN`).
 * - The lock of the schedule keeps one while the schedule is changed.
 * - Requests of workers use at most `maxForWorkers`, so that the others, such as producers, are not kept waiting by long claims.
 *
 * A connection is `durable` or a worker's, and changes when it is lent to the other side.
 */
import type { PoolClient, QueryConfig, QueryResult } from 'pg';
import { BugError } from '../../domain/errors.js';
import { pause, systemClock } from '../../async/clock.js';
import { createConcurrencyLimit } from '../../async/concurrency-limit.js';
import { BoundedPool } from './bounded-pool.js';
import { poolOptions, type PoolSettings } from './pool.js';
import { SessionClient } from './session/session-client.js';
import type { Settings } from './session/session-settings.js';
import { timeIfWritable } from './writable.js';

const CLOSE_LIMIT_MS = 1_000;

interface Session {
  /** What the sessions differ in. */
  readonly settings: Settings;
  readonly queryTimeoutMs: number;
}

/** A request is on the disk before it is answered. */
const DURABLE: Session = {
  settings: { synchronous_commit: 'on', statement_timeout: '10000' },
  queryTimeoutMs: 15_000,
};

/**
 * A worker does not wait for the disk. A crash of the server can only undo what a worker wrote: after a lost claim the job
 * is claimed again, after a lost outcome the job runs again and finds its work done.
 *
 * One claim also moves every delayed job that is due. After an outage these may be thousands; under the time limit of
 * ordinary queries each claim would be cancelled again.
 */
const WORKER: Session = {
  settings: { synchronous_commit: 'off', statement_timeout: '60000' },
  queryTimeoutMs: 65_000,
};

/** What BullMQ uses of a pool that it did not create. It neither closes such a pool nor sets anything in it. */
interface LentPool {
  /** Also for `LISTEN`, so such a connection may be kept. */
  readonly connect: () => Promise<PoolClient>;
  readonly query: (text: string, values?: unknown[]) => Promise<QueryResult>;
  readonly on: () => LentPool;
  readonly removeAllListeners: () => LentPool;
  readonly end: () => Promise<void>;
}

export interface QueuePool {
  readonly durable: LentPool;
  readonly worker: LentPool;
  /** Lends a durable connection while the work runs; after a failure it may be broken, so it is closed. */
  readonly withClient: <T>(work: (client: PoolClient) => Promise<T>) => Promise<T>;
  /** Rejects with `UnavailableError` where PostgreSQL answers and cannot be written. */
  readonly checkWritable: () => Promise<void>;
  readonly pool: BoundedPool;
  /**
   * Resolves within a second. It waits for each connection to come back, which one to a server that hangs never does, and
   * neither does that of a worker that was abandoned because its work does not end.
   */
  readonly close: () => Promise<void>;
}

interface QueuePoolSettings extends PoolSettings {
  readonly maxForWorkers: number;
  /** Where BullMQ's tables and functions are; it names them without a schema. */
  readonly schema: string;
}

/** Opens no connection yet. `onIdleError` is called for each idle connection that breaks; the pool replaces it by itself. */
export function createQueuePool(
  { schema, maxForWorkers, ...settings }: QueuePoolSettings,
  onIdleError: (error: Error) => void,
): QueuePool {
  const { options = '', ...rest } = poolOptions(settings);
  const pool = new BoundedPool({ ...rest, options: `${options} -c search_path="${schema}"` });
  pool.on('error', onIdleError);
  const sessions = new WeakMap<PoolClient, Session>();
  const workers = createConcurrencyLimit(maxForWorkers);

  async function lend<T>(session: Session, work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    let failed = true;
    try {
      if ((sessions.get(client) ?? DURABLE) !== session) await change(client, session);
      sessions.set(client, session);
      const done = await work(client);
      failed = false;
      return done;
    } finally {
      client.release(failed);
    }
  }

  function lentPool(session: Session, query: (ask: () => Promise<QueryResult>) => Promise<QueryResult>): LentPool {
    const lent: LentPool = {
      connect: () => pool.connect(),
      query: (text, values = []) => query(() => lend(session, (client) => client.query(timed(session, text, values)))),
      on: () => lent,
      removeAllListeners: () => lent,
      end: async () => undefined,
    };
    return lent;
  }

  return {
    durable: lentPool(DURABLE, (ask) => ask()),
    worker: lentPool(WORKER, workers),
    withClient: (work) => lend(DURABLE, work),
    checkWritable: async () => void (await timeIfWritable(pool)),
    pool,
    close: () => Promise.race([pool.end(), pause(systemClock, CLOSE_LIMIT_MS)]),
  };
}

async function change(client: PoolClient, { settings }: Session): Promise<void> {
  if (!(client instanceof SessionClient)) throw new BugError('a pool lent a connection that it did not make');
  await client.change(settings);
}

/** pg knows a time limit for one query; its types do not. */
function timed({ queryTimeoutMs }: Session, text: string, values: unknown[]): QueryConfig {
  const query: QueryConfig & { readonly query_timeout: number } = { text, values, query_timeout: queryTimeoutMs };
  return query;
}
