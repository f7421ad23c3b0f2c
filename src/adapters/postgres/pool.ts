import { Client, type ClientConfig, Pool, type PoolClient, type PoolConfig } from 'pg';

import { ConfigurationError } from '../../domain/errors.js';

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
/** Longer than the server's own limit: it is for servers that no longer answer at all. */
const QUERY_TIMEOUT_MS = 15_000;
const IDLE_TIMEOUT_MS = 30_000;

/**
 * How every connection of this program is opened. The session runs in UTC whatever the server's default: Prisma writes
 * and reads times without their offset, so any other zone would store wrong instants. It looks for tables in `public`
 * alone, which is where Prisma's query builder looks.
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

/** The driver reads the address each time it is about to connect; what it cannot read then would fail without a name. */
function refuseBadEscapes(connectionString: string): void {
  try {
    void new Client({ connectionString });
  } catch (cause) {
    if (!(cause instanceof URIError)) return;
    throw new ConfigurationError('DATABASE_URL has an escape that stands for no character; a "%" is written %25', {
      cause,
    });
  }
}

/**
 * A client that is lent out when its connection breaks tells whoever uses it, by the query that fails, and besides by an
 * event: if nobody hears that, Node ends the process.
 */
class HeardClient extends Client {
  constructor(config?: string | ClientConfig) {
    super(config);
    this.on('error', () => undefined);
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
 * Opens no connection yet. `onIdleError` hears of idle connections that broke; the pool replaces them by itself, and
 * without a listener each of them would end the process.
 */
export function createPool(settings: PoolSettings, onIdleError: (error: Error) => void): Pool {
  const pool = new Pool(poolOptions(settings));
  pool.on('error', onIdleError);
  return pool;
}

/** Lends one of the pool's connections for as long as the work runs; one whose work failed may be broken, and is closed. */
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

/** pg lets `options` of the connection string replace ours, UTC included; so they are taken out and put in front. */
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
