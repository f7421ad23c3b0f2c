import type { Pool, PoolClient, PoolConfig } from 'pg';

import { BoundedPool } from './bounded-pool.js';
import { SessionClient } from './session/session-client.js';
import { type SessionConfig, sessionOptions } from './session/session-options.js';

export interface PoolSettings {
  /** An address that `parsePostgresAddress` reads. */
  readonly connectionString: string;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Connections at most. */
  readonly max: number;
}

/** For a connection of the pool that is in use; the time to open a new one has its own limit. */
const BUSY_WAIT_MS = 30_000;
const LOCK_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 10_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000;
/** Longer than the server's own limit: it applies only if the server no longer answers at all. */
const QUERY_TIMEOUT_MS = 15_000;
const IDLE_TIMEOUT_MS = 30_000;
/** Nothing tells a connection that its address leads to another server now; a busy one would stay with the old one. */
const MAX_LIFETIME_SECONDS = 900;

/**
 * Options of a pool in which no wait is without a limit. To a pool the time to connect is also the wait for a connection
 * that is in use, and a busy pool is no outage: so it gets the longer limit, and its clients keep their own.
 */
export function poolOptions(settings: PoolSettings): PoolConfig & SessionConfig & Pick<PoolSettings, 'max'> {
  const session = sessionOptions(settings.connectionString, settings.applicationName);
  return {
    ...session,
    Client: SessionClient,
    max: settings.max,
    connectionTimeoutMillis: Math.max(BUSY_WAIT_MS, session.connectTimeoutMs ?? 0),
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
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
