import { Client, type ClientConfig, Pool, type PoolClient, type PoolConfig } from 'pg';

import { ConfigurationError } from '../../domain/errors.js';
import { guardQueries } from './guard-queries.js';

export interface PoolSettings {
  /** `postgresql://…`; what it says in its query part is kept. */
  readonly connectionString: string;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Connections at most. */
  readonly max: number;
}

const CONNECT_TIMEOUT_MS = 5_000;
const LOCK_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 10_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000;
/** Longer than the server's own limit: it applies only if the server no longer answers at all. */
const QUERY_TIMEOUT_MS = 15_000;
const IDLE_TIMEOUT_MS = 30_000;

/**
 * How every connection of this program is opened. The session runs in UTC, independent of the server's default: Prisma
 * writes and reads times without their offset, so any other zone would store wrong instants. Tables are looked up in
 * `public` only, as Prisma's query builder does.
 */
export function sessionOptions(connectionString: string, applicationName: string): ClientConfig {
  const { rest, options, schema } = splitOptions(connectionString);
  if (schema !== undefined && schema !== 'public') {
    throw new ConfigurationError(
      `DATABASE_URL asks for schema=${schema}; the tables of this service live in the schema public: leave schema out`,
    );
  }
  refuseBadEscapes(rest);
  return {
    connectionString: rest,
    application_name: applicationName,
    options: [...options, '-c TimeZone=UTC', '-c search_path=public'].join(' '),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  };
}

/** The driver parses the address at each connect; what it cannot parse would then fail without naming the variable. */
function refuseBadEscapes(connectionString: string): void {
  try {
    void new Client({ connectionString });
  } catch (cause) {
    if (!(cause instanceof URIError)) return;
    throw new ConfigurationError('DATABASE_URL has a percent escape that is not a character; write a "%" as %25', {
      cause,
    });
  }
}

/**
 * When the connection of a lent client breaks, its user learns it from the query that fails. The client also emits an
 * `error` event, and without a listener for that Node ends the process.
 */
class HeardClient extends Client {
  constructor(config?: string | ClientConfig) {
    super(config);
    this.on('error', () => undefined);
    guardQueries(this);
  }
}

/** Options of a pool in which no wait is without a limit; also fit for BullMQ, which appends its own search path. */
export function poolOptions(settings: PoolSettings): PoolConfig {
  return {
    ...sessionOptions(settings.connectionString, settings.applicationName),
    Client: HeardClient,
    max: settings.max,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
  };
}

/**
 * Opens no connection yet. `onIdleError` is called for each idle connection that breaks; the pool replaces it by itself,
 * and without a listener it would end the process.
 */
export function createPool(settings: PoolSettings, onIdleError: (error: Error) => void): Pool {
  const pool = new Pool(poolOptions(settings));
  pool.on('error', onIdleError);
  return pool;
}

/** Lends one of the pool's connections while the work runs; after a failure it may be broken, so it is closed. */
export const lending =
  (pool: Pool) =>
  async <T>(work: (client: PoolClient) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    let failed = true;
    try {
      const done = await work(client);
      failed = false;
      return done;
    } finally {
      client.release(failed);
    }
  };

/** In pg, `options` of the connection string replace ours, UTC included; so they are removed there and put before ours. */
function splitOptions(connectionString: string): { rest: string; options: readonly string[]; schema?: string } {
  if (!/[?&](options|schema)=/.test(connectionString) || !URL.canParse(connectionString)) {
    return { rest: connectionString, options: [] };
  }
  const url = new URL(connectionString);
  const options = url.searchParams.getAll('options');
  const schema = url.searchParams.get('schema');
  url.searchParams.delete('options');
  url.searchParams.delete('schema');
  return { rest: url.href, options, ...(schema === null ? {} : { schema }) };
}
