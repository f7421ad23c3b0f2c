import type { Pool, PoolClient } from 'pg';
import { BugError, UnavailableError } from '../../domain/errors.js';
import { withUnavailable } from './failure.js';
import { lending } from './pool.js';
import { SessionClient } from './session/session-client.js';

/** Columns for a question that is asked anyway; `whyReadOnly` reads them. */
export const WRITE_STATE = `pg_is_in_recovery() AS standby, current_setting('transaction_read_only') = 'on' AS closed`;

export interface WriteState {
  readonly standby: boolean;
  readonly closed: boolean;
}

/**
 * The database's time, if the database can be written. A standby and a read-only database answer every question, but no
 * cleanup can be done there, so both count as unavailable, and the connection is given up: a new one may lead to the
 * primary.
 */
export function timeIfWritable(pool: Pool): Promise<Date> {
  return withUnavailable(() => lending(pool)(askClient));
}

async function askClient(client: PoolClient): Promise<Date> {
  const { rows } = await client.query<{ now: Date } & WriteState>(`SELECT clock_timestamp() AS now, ${WRITE_STATE}`);
  const [answer] = rows;
  if (answer === undefined) throw new BugError('the database was asked for the time and answered with no row');
  const closed = whyReadOnly(answer);
  if (closed === undefined) return answer.now;
  if (client instanceof SessionClient) client.giveUp();
  throw new UnavailableError('postgresql', `PostgreSQL ${closed.what}; ${closed.cure}`);
}

/** Why nothing can be written, and what to do about it; undefined when the database can be written. */
export function whyReadOnly(state: WriteState): { readonly what: string; readonly cure: string } | undefined {
  if (state.standby) {
    return { what: 'is a standby and can only be read', cure: 'promote it, or let DATABASE_URL lead to the primary' };
  }
  if (!state.closed) return undefined;
  return {
    what: 'can only be read: default_transaction_read_only is on',
    cure: 'set it to off (ALTER DATABASE, ALTER ROLE or postgresql.conf), or let DATABASE_URL lead to the primary',
  };
}
