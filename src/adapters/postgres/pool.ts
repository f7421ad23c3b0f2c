import { Client, type ClientConfig, type Pool, type PoolClient, type PoolConfig } from 'pg';

import { BoundedPool } from './bounded-pool.js';
import { addressOf, clientAddress } from './client-address.js';

export interface PoolSettings {
  /** An address that `parsePostgresAddress` reads. */
  readonly connectionString: string;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Connections at most. */
  readonly max: number;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** For a connection of the pool that is in use; the time to open a new one has its own limit, the one above. */
const BUSY_WAIT_MS = 30_000;
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
  const address = addressOf(connectionString);
  return {
    ...clientAddress(address),
    application_name: address.applicationName ?? applicationName,
    // What comes last wins, so the address cannot change the time zone.
    options: `${address.options} -c TimeZone=UTC -c search_path=public`.trimStart(),
    connectionTimeoutMillis: address.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    keepAlive: true,
  };
}

/**
 * When the connection of a lent client breaks, its user learns it from the query that fails. The client also emits an
 * `error` event, and without a listener for that Node ends the process. In a pool's options the time to connect is also
 * the wait for a connection that is in use, and a busy pool is no outage: so the pool gets the longer limit.
 */
class PooledClient extends Client {
  constructor(config?: ClientConfig) {
    super({ ...config, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
    this.on('error', () => undefined);
  }
}

/** Options of a pool in which no wait is without a limit. */
export function poolOptions(settings: PoolSettings): PoolConfig & Pick<PoolSettings, 'max'> {
  return {
    ...sessionOptions(settings.connectionString, settings.applicationName),
    Client: PooledClient,
    max: settings.max,
    connectionTimeoutMillis: BUSY_WAIT_MS,
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
export function createPool(settings: PoolSettings, onIdleError: (error: Error) => void): BoundedPool {
  const pool = new BoundedPool(poolOptions(settings));
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
