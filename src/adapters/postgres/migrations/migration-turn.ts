/**
 * One step of a migration is one transaction that holds the migration lock. It waits for no lock longer than a second:
 * a statement that waits for its ACCESS EXCLUSIVE lock keeps every later statement on that table waiting behind it, those of
 * jobs too. After each failed try the lock queue is left for a second, so that jobs go on between the tries.
 *
 * Lock and settings belong to the transaction, so both hold behind a pooler that lends a connection per transaction.
 */
import { type Client, DatabaseError } from 'pg';

import { type Clock, pause } from '../../../async/clock.js';
import { MigrationError, UnavailableError } from '../../../domain/errors.js';
import { describeSessions, watchBlockers } from './blocking-sessions.js';

export interface Patience {
  readonly clock: Clock;
  /** For all tries of one step together. */
  readonly limitMs: number;
  /** Called with one line each time the reason to wait changes. */
  readonly report: (line: string) => void;
  /** A second connection, asked which sessions the first one waits for. */
  readonly openWatcher: () => Promise<Client>;
}

/** A pair of numbers, so that it cannot collide with a lock of one number, such as Prisma Migrate's. */
const LOCK = { classId: 1_381_256_519, objectId: 2 };
const LOCK_TIMEOUT_MS = 1_000;
const PAUSE_MS = 1_000;
const POLL_MS = 250;

type Try<T> =
  | { readonly status: 'done'; readonly value: T }
  | { readonly status: 'busy' }
  | { readonly status: 'blocked'; readonly by: string | undefined };

/** Runs `work` in a transaction under the migration lock; repeats it while a lock keeps it waiting. */
export async function takeTurn<T>(
  client: Client,
  what: string,
  patience: Patience,
  work: () => Promise<T>,
): Promise<T> {
  const { clock, limitMs, report } = patience;
  const endMs = clock.monotonicMs() + limitMs;
  let reported = '';
  let by = 'PostgreSQL does not say which session holds it';
  for (;;) {
    const leftMs = endMs - clock.monotonicMs();
    const outcome = await tryOnce(client, Math.min(LOCK_TIMEOUT_MS, leftMs), patience, work);
    if (outcome.status === 'done') return outcome.value;
    const isBusy = outcome.status === 'busy';
    // A session that was seen at an earlier try is the best answer if the last look came too late.
    if (outcome.status === 'blocked') by = outcome.by ?? by;
    const reason = isBusy
      ? 'waiting for another process that migrates this database'
      : `${what} waits for a lock; ${by}; trying again until it is free`;
    if (reason !== reported) report(reason);
    reported = reason;
    if (clock.monotonicMs() + (isBusy ? POLL_MS : PAUSE_MS) > endMs) {
      throw isBusy
        ? await lockKept(client, limitMs)
        : new UnavailableError('postgresql', `${what} got no lock within ${limitMs} ms; ${by}`);
    }
    await pause(clock, isBusy ? POLL_MS : PAUSE_MS);
  }
}

async function tryOnce<T>(
  client: Client,
  lockTimeoutMs: number,
  { clock, openWatcher }: Patience,
  work: () => Promise<T>,
): Promise<Try<T>> {
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL lock_timeout = ${Math.max(1, Math.round(lockTimeoutMs))}`);
    const { rows } = await client.query<{ pid: number; free: boolean }>(
      'SELECT pg_backend_pid() AS pid, pg_try_advisory_xact_lock($1, $2) AS free',
      [LOCK.classId, LOCK.objectId],
    );
    const [turn] = rows;
    if (turn?.free !== true) {
      await client.query('ROLLBACK');
      return { status: 'busy' };
    }
    const watch = watchBlockers({ clock, pid: turn.pid, openWatcher });
    try {
      const value = await work();
      await client.query('COMMIT');
      return { status: 'done', value };
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.code !== '55P03') throw error;
      await client.query('ROLLBACK');
      return { status: 'blocked', by: await watch.end() };
    } finally {
      await watch.end();
    }
  } catch (error) {
    // When the connection is lost the server rolls back by itself.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function lockKept(client: Client, limitMs: number): Promise<MigrationError> {
  const holders = `
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = ${LOCK.classId} AND objid = ${LOCK.objectId}
      AND objsubid = 2 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
  const by = (await describeSessions(client, holders)) ?? 'it is done by now';
  return new MigrationError(
    `another process has held the migration lock for ${limitMs} ms; try again when it is done (${by})`,
  );
}
