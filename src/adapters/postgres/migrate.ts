import { randomUUID } from 'node:crypto';

import { type Client, DatabaseError, type QueryConfig } from 'pg';

import { messageOf, MigrationError } from '../../domain/errors.js';
import { isOutage, withUnavailable } from './failure.js';
import { readMigrations, type MigrationFile } from './migration-files.js';
import { SessionClient } from './session/session-client.js';
import { sessionOptions } from './session/session-options.js';

export interface MigrateOptions {
  readonly connectionString: string;
  /** The folder that holds one folder for each migration. */
  readonly migrationsDir: string;
  /** How long to wait for another process that migrates, and for each table lock. Default 60,000. */
  readonly lockTimeoutMs?: number;
  /** Called with one line for each step. */
  readonly report?: (line: string) => void;
}

/** The advisory lock that Prisma Migrate takes, so that it and we exclude each other. */
const PRISMA_MIGRATE_LOCK = 72707369;
const DEFAULT_LOCK_TIMEOUT_MS = 60_000;
const SCRIPT_TIMEOUT_MS = 600_000;
/** Added to a limit that the server keeps, for a server that no longer answers. */
const ANSWER_GRACE_MS = 5_000;

/** Prisma Migrate's own table, as Prisma Migrate creates it. */
const BOOKKEEPING = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id                  VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum            VARCHAR(64) NOT NULL,
    finished_at         TIMESTAMPTZ,
    migration_name      VARCHAR(255) NOT NULL,
    logs                TEXT,
    rolled_back_at      TIMESTAMPTZ,
    started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  )`;

/**
 * Applies the migrations that the database lacks and returns their names. It writes Prisma's own migration table, so that
 * a later `prisma migrate deploy` finds nothing to do; any number of processes may call it at once. Each migration and its row
 * are one transaction: one that fails leaves nothing behind and is tried again by the next call.
 *
 * Rejects with `MigrationError` when the database's history and the files do not fit together, and with
 * `UnavailableError` when the database cannot answer.
 */
export async function migrate(options: MigrateOptions): Promise<readonly string[]> {
  const { migrationsDir, lockTimeoutMs = DEFAULT_LOCK_TIMEOUT_MS, report = () => undefined } = options;
  const files = await readMigrations(migrationsDir);
  return withClient(options.connectionString, lockTimeoutMs, async (client) => {
    const applied: string[] = [];
    for (;;) {
      const name = await applyNext(client, files, { lockTimeoutMs, report });
      if (name === undefined) return applied;
      applied.push(name);
    }
  });
}

/** The migrations that `migrate` would apply; changes nothing and waits for no lock. Rejects as `migrate` does. */
export async function pendingMigrations(
  options: Pick<MigrateOptions, 'connectionString' | 'migrationsDir'>,
): Promise<readonly string[]> {
  const files = await readMigrations(options.migrationsDir);
  return withClient(options.connectionString, 0, async (client) => {
    const { rows } = await client.query<{ found: boolean }>(
      `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS found`,
    );
    const known = rows[0]?.found === true ? await history(client) : [];
    return missingFrom(known, files).map((file) => file.name);
  });
}

interface HistoryRow {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished_at: Date | null;
  readonly logs: string | null;
}

async function withClient<T>(
  connectionString: string,
  lockTimeoutMs: number,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  return withUnavailable(async () => {
    const client = new SessionClient({
      ...sessionOptions(connectionString, 'runtime-cleanup migrate'),
      query_timeout: lockTimeoutMs + ANSWER_GRACE_MS,
      ...(lockTimeoutMs > 0 ? { lock_timeout: lockTimeoutMs } : {}),
    });
    try {
      await client.connect();
      return await work(client);
    } catch (error) {
      if (sqlState(error) !== '3D000') throw error;
      throw new MigrationError(`${messageOf(error)}; create it first: CREATE DATABASE "…"`, { cause: error });
    } finally {
      await client.end().catch(() => undefined);
    }
  });
}

type Turn = Required<Pick<MigrateOptions, 'lockTimeoutMs' | 'report'>>;

/** The lock belongs to the transaction: one of a session would stay with the connection of a pooler. */
async function applyNext(client: Client, files: readonly MigrationFile[], turn: Turn): Promise<string | undefined> {
  try {
    await client.query('BEGIN');
    await lock(client, turn);
    await client.query(BOOKKEEPING);
    const [file] = missingFrom(await history(client), files);
    if (file !== undefined) {
      turn.report(`applying migration ${file.name}`);
      await apply(client, file);
    }
    await client.query('COMMIT');
    return file?.name;
  } catch (error) {
    // When the connection is lost the server rolls back by itself.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function lock(client: Client, { lockTimeoutMs, report }: Turn): Promise<void> {
  const { rows } = await client.query<{ free: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS free', [
    PRISMA_MIGRATE_LOCK,
  ]);
  if (rows[0]?.free === true) return;
  report('waiting for another process that migrates this database');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [PRISMA_MIGRATE_LOCK]);
  } catch (error) {
    if (sqlState(error) !== '55P03') throw error;
    throw new MigrationError(
      `another process has held the migration lock for ${lockTimeoutMs} ms; try again when it is done ` +
        `(who it is: SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = ${PRISMA_MIGRATE_LOCK})`,
      { cause: error },
    );
  }
}

async function history(client: Client): Promise<readonly HistoryRow[]> {
  const { rows } = await client.query<HistoryRow>(
    `SELECT migration_name, checksum, finished_at, logs FROM _prisma_migrations
     WHERE rolled_back_at IS NULL ORDER BY started_at`,
  );
  return rows;
}

/** The files that are not in the history; throws when history and files contradict each other. */
function missingFrom(rows: readonly HistoryRow[], files: readonly MigrationFile[]): readonly MigrationFile[] {
  const byName = new Map(files.map((file) => [file.name, file]));
  for (const row of rows) {
    if (row.finished_at === null) {
      const why = row.logs === null ? 'it never finished' : firstLine(row.logs);
      throw new MigrationError(
        `migration ${row.migration_name} failed earlier (${why}); repair the database, then record that with ` +
          `"prisma migrate resolve --rolled-back ${row.migration_name}" (or --applied)`,
      );
    }
    const file = byName.get(row.migration_name);
    if (file === undefined) {
      throw new MigrationError(
        `the database has migration ${row.migration_name}, which this program does not know; ` +
          'run the release that brought it, or a newer one',
      );
    }
    if (!file.knownChecksums.has(row.checksum)) {
      throw new MigrationError(
        `migration ${row.migration_name} was edited after it was applied; restore its migration.sql ` +
          'and put the change into a new migration',
      );
    }
  }
  const applied = new Set(rows.map((row) => row.migration_name));
  return files.filter((file) => !applied.has(file.name));
}

async function apply(client: Client, file: MigrationFile): Promise<void> {
  // pg knows a limit for one query; its types do not.
  const script: QueryConfig & { query_timeout: number } = { text: file.sql, query_timeout: SCRIPT_TIMEOUT_MS };
  try {
    await client.query(script);
    // now() is the transaction's start; the finish is later by the time the script took.
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
      [randomUUID(), file.checksum, file.name],
    );
  } catch (error) {
    if (!(error instanceof DatabaseError) || isOutage(error)) throw error;
    throw new MigrationError(
      `migration ${file.name} failed and was rolled back: ${firstLine(error.message)} (SQLSTATE ${error.code})`,
      { cause: error },
    );
  }
}

function sqlState(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined;
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0] ?? '';
}
