import type { Pool, PoolClient } from 'pg';

import type { SweepLock } from '../../retention/ports.js';

import { withUnavailable } from './failure.js';
import { BugError } from '../../domain/errors.js';

/**
 * The lock belongs to a transaction that stays open, and so to one connection, also behind a pooler that lends its
 * connections for a transaction each. It ends with that connection: at once when the process dies, within half a minute
 * when its machine does, and after an hour when the process is frozen.
 */
const OPEN = `
BEGIN;
SET LOCAL idle_in_transaction_session_timeout = '1h';
SET LOCAL tcp_keepalives_idle = 15;
SET LOCAL tcp_keepalives_interval = 5;
SET LOCAL tcp_keepalives_count = 3`;

/** A pair of numbers, so that it cannot collide with a lock of one number, such as Prisma Migrate's. */
const TRY_LOCK = 'SELECT pg_try_advisory_xact_lock(1381256519, 1) AS locked';

/** One sweep at a time in one database. The open transaction has read no row, so it does not hold back vacuum. */
export function createSweepLock({ pool }: { readonly pool: Pool }): SweepLock {
  return {
    exclusively: async (work) => {
      const client = await withUnavailable(() => pool.connect());
      let broken: Error | undefined;
      // The connection is idle while the work runs; without a listener its loss would end the process. Only the lock is
      // lost: even beside a second sweep a game has one live job, and a late job finds the record removed.
      const onError = (error: Error): void => {
        broken = error;
      };
      client.on('error', onError);
      try {
        if (!(await tryLock(client))) return 'busy';
        return await work();
      } finally {
        broken ??= await rollBack(client);
        client.off('error', onError);
        client.release(broken);
      }
    },
  };
}

const tryLock = (client: PoolClient): Promise<boolean> =>
  withUnavailable(async () => {
    await client.query(OPEN);
    const { rows } = await client.query<{ locked: boolean }>(TRY_LOCK);
    return rows[0]?.locked === true;
  });

/** Resolves to the error if the rollback failed: the connection, and its transaction with it, must then be closed. */
const rollBack = (client: PoolClient): Promise<Error | undefined> =>
  client.query('ROLLBACK').then(
    () => undefined,
    (error: unknown) =>
      error instanceof Error
        ? error
        : new BugError('the lock was lost with a reason that is not an Error', { cause: error }),
  );
