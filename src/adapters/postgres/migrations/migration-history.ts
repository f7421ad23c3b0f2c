/**
 * Which migrations the database has. The table is our own, because Prisma Migrate takes every row of `_prisma_migrations`
 * for a migration of the project that asks; a second Prisma project in the same schema and this service could not share it.
 * No time is read from either table, so no session setting can change what a row means.
 */
import type { ClientBase } from 'pg';

import { MigrationError } from '../../../domain/errors.js';
import type { MigrationFile } from './migration-files.js';

const CREATE = `
  CREATE TABLE IF NOT EXISTS public.runtime_cleanup_migrations (
    name        text        NOT NULL PRIMARY KEY,
    checksum    text        NOT NULL,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz NOT NULL
  )`;

interface Applied {
  readonly name: string;
  readonly checksum: string;
}

/** Every name with every checksum under which an earlier release may have recorded it. */
interface KnownRows {
  readonly names: readonly string[];
  readonly checksums: readonly string[];
}

/** In Prisma Migrate's table: the row of one of our migrations. */
const IS_OURS = '(migration_name, checksum) IN (SELECT * FROM unnest($1::text[], $2::text[]))';
const IS_APPLIED = 'finished_at IS NOT NULL AND rolled_back_at IS NULL';

export interface MigrationState {
  /** The names of the migrations that have not been applied, in order. */
  readonly pending: readonly string[];
  /** Migrations were applied by a release that recorded them in Prisma Migrate's table; ours lacks them. */
  readonly isTakeoverDue: boolean;
}

/** Reads only. Rejects with `MigrationError` when the history and the files contradict each other. */
export async function readMigrationState(client: ClientBase, files: readonly MigrationFile[]): Promise<MigrationState> {
  const recorded = await recordedMigrations(client);
  const names = new Set(recorded.map(({ name }) => name));
  const old = (await migrationsOfEarlierRelease(client, files)).filter(({ name }) => !names.has(name));
  const missing = missingFrom([...recorded, ...old], files);
  return { pending: missing.map(({ name }) => name), isTakeoverDue: old.length > 0 };
}

/** The files that are not in the history, in order; only for a database whose table exists. */
export async function missingMigrations(
  client: ClientBase,
  files: readonly MigrationFile[],
): Promise<readonly MigrationFile[]> {
  return missingFrom(await recordedMigrations(client), files);
}

/**
 * Makes the table, and copies what an earlier release recorded in Prisma Migrate's table. Our rows are deleted there once
 * rows of another project are beside them: Prisma Migrate reports our migrations as missing from that project's folder,
 * and `migrate dev` offers to reset the database. Without such rows they stay, because an earlier release needs them to
 * start; beside rows of another project it does not start in any case.
 */
export async function takeOverHistory(client: ClientBase, files: readonly MigrationFile[]): Promise<void> {
  if (!(await exists(client, 'public.runtime_cleanup_migrations'))) await client.query(CREATE);
  if (!(await isReadable(client, 'public._prisma_migrations'))) return;
  const { names, checksums } = knownRows(files);
  const { isTakeoverDue } = await readMigrationState(client, files);
  if (isTakeoverDue) await copyRows(client, { names, checksums });
  const { rows } = await client.query<{ shared: boolean }>(
    `SELECT has_table_privilege('public._prisma_migrations', 'DELETE')
            AND EXISTS (SELECT FROM public._prisma_migrations WHERE ${IS_OURS})
            AND EXISTS (SELECT FROM public._prisma_migrations WHERE NOT ${IS_OURS} AND rolled_back_at IS NULL) AS shared`,
    [names, checksums],
  );
  if (rows[0]?.shared !== true) return;
  await client.query(`DELETE FROM public._prisma_migrations WHERE ${IS_OURS}`, [names, checksums]);
}

async function copyRows(client: ClientBase, { names, checksums }: KnownRows): Promise<void> {
  await client.query(
    `INSERT INTO public.runtime_cleanup_migrations (name, checksum, started_at, finished_at)
     SELECT migration_name, checksum, started_at, finished_at FROM public._prisma_migrations
     WHERE ${IS_OURS} AND ${IS_APPLIED}
     ON CONFLICT (name) DO NOTHING`,
    [names, checksums],
  );
}

/** In the transaction that applies the migration, whose start is `now()`. */
export async function recordMigration(client: ClientBase, { name, checksum }: MigrationFile): Promise<void> {
  await client.query(
    `INSERT INTO public.runtime_cleanup_migrations (name, checksum, started_at, finished_at)
     VALUES ($1, $2, now(), clock_timestamp())`,
    [name, checksum],
  );
}

async function recordedMigrations(client: ClientBase): Promise<readonly Applied[]> {
  if (!(await exists(client, 'public.runtime_cleanup_migrations'))) return [];
  const { rows } = await client.query<Applied>(
    'SELECT name, checksum FROM public.runtime_cleanup_migrations ORDER BY name',
  );
  return rows;
}

async function migrationsOfEarlierRelease(
  client: ClientBase,
  files: readonly MigrationFile[],
): Promise<readonly Applied[]> {
  if (!(await isReadable(client, 'public._prisma_migrations'))) return [];
  const { names, checksums } = knownRows(files);
  const { rows } = await client.query<Applied>(
    `SELECT DISTINCT migration_name AS name, checksum FROM public._prisma_migrations WHERE ${IS_OURS} AND ${IS_APPLIED}`,
    [names, checksums],
  );
  return rows;
}

async function exists(client: ClientBase, table: string): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [table]);
  return rows[0]?.found === true;
}

/** Prisma Migrate's table may belong to a role of another project, whose rows are not ours to read. */
async function isReadable(client: ClientBase, table: string): Promise<boolean> {
  const { rows } = await client.query<{ readable: boolean | null }>(
    `SELECT has_table_privilege(to_regclass($1), 'SELECT') AS readable`,
    [table],
  );
  return rows[0]?.readable === true;
}

function knownRows(files: readonly MigrationFile[]): KnownRows {
  const pairs = files.flatMap(({ name, knownChecksums }) =>
    [...knownChecksums].map((checksum) => ({ name, checksum })),
  );
  return { names: pairs.map(({ name }) => name), checksums: pairs.map(({ checksum }) => checksum) };
}

/** Throws when history and files contradict each other. */
function missingFrom(rows: readonly Applied[], files: readonly MigrationFile[]): readonly MigrationFile[] {
  const byName = new Map(files.map((file) => [file.name, file]));
  for (const { name, checksum } of rows) {
    const file = byName.get(name);
    if (file === undefined) {
      throw new MigrationError(
        `the database has migration ${name}, which this program does not know; ` +
          'run the release that brought it, or a newer one',
      );
    }
    if (!file.knownChecksums.has(checksum)) {
      throw new MigrationError(
        `migration ${name} was edited after it was applied; restore its migration.sql ` +
          'and put the change into a new migration',
      );
    }
  }
  const applied = new Set(rows.map(({ name }) => name));
  return files.filter((file) => !applied.has(file.name));
}
