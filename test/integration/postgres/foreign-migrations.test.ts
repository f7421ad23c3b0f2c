/** A Prisma project of another team in the same database and schema, and an installation of an earlier release. */
import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrate, migrationState } from '../../../src/adapters/postgres/migrations/migrate.js';
import { createDatabase, type TestDatabase } from '../../support/postgres/database.js';

const migrationsDir = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));
const SHIPPED = ['20261123000000_init', '20261129000000_engines'];
const sqlOf = (name: string): string => readFileSync(`${migrationsDir}/${name}/migration.sql`, 'utf8');

let database: TestDatabase;
let client: Client;
beforeEach(async () => {
  database = await createDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
});
afterEach(async () => {
  await client.end();
  await database.drop();
});

const run = () => migrate({ connectionString: database.url, migrationsDir });
const state = () => migrationState({ connectionString: database.url, migrationsDir });
const column = async (sql: string): Promise<unknown[]> =>
  (await client.query<unknown[]>({ text: sql, rowMode: 'array' })).rows.flat();
const recorded = () => column('SELECT name FROM runtime_cleanup_migrations ORDER BY 1');
const inPrismasTable = () => column('SELECT migration_name FROM _prisma_migrations ORDER BY 1');

/** As Prisma Migrate 7 creates it. */
const makePrismasTable = () =>
  client.query(`CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ,
    migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
    started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`);

/** What `prisma migrate deploy` of a project with one table leaves. */
async function deployOtherProject(): Promise<void> {
  await makePrismasTable();
  await client.query('CREATE TABLE lobbies (id integer PRIMARY KEY)');
  await addRow('20260101000000_lobbies', 'CREATE TABLE lobbies (id integer PRIMARY KEY)');
}
const addRow = (name: string, sql: string, finishedAt: 'now()' | 'NULL' = 'now()') =>
  client.query(
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
     VALUES (gen_random_uuid()::text, $1, $2, ${finishedAt}, 1)`,
    [createHash('sha256').update(sql).digest('hex'), name],
  );

/** What the release before this table leaves. */
async function installEarlierRelease(): Promise<void> {
  await makePrismasTable();
  for (const name of SHIPPED) {
    await client.query(sqlOf(name));
    await addRow(name, sqlOf(name));
  }
}

test('a database that another Prisma project has migrated gets our tables, and that project keeps its rows', async () => {
  await deployOtherProject();
  expect(await state()).toEqual({ pending: SHIPPED, isTakeoverDue: false });
  expect(await run()).toEqual(SHIPPED);
  expect(await run()).toEqual([]);
  expect(await inPrismasTable()).toEqual(['20260101000000_lobbies']);
});

test('a Prisma project that is deployed after ours finds none of our rows, and our next start has nothing to do', async () => {
  await run();
  expect(await column(`SELECT to_regclass('_prisma_migrations')`)).toEqual([null]);
  await deployOtherProject();
  expect(await state()).toEqual({ pending: [], isTakeoverDue: false });
  expect(await run()).toEqual([]);
  expect(await inPrismasTable()).toEqual(['20260101000000_lobbies']);
});

test('a failed, an unfinished and an equally named migration of another project do not concern ours', async () => {
  await deployOtherProject();
  await addRow('20260201000000_broken', 'SELECT', 'NULL');
  await client.query(`UPDATE _prisma_migrations SET logs = 'relation exists' WHERE finished_at IS NULL`);
  await addRow('20260301000000_unfinished', 'SELECT', 'NULL');
  await addRow(SHIPPED[0] ?? '', 'CREATE TABLE theirs (id integer)');
  expect(await run()).toEqual(SHIPPED);
  expect(await state()).toEqual({ pending: [], isTakeoverDue: false });
  expect(await inPrismasTable()).toHaveLength(4);
});

test("another project's table that our role may not read does not concern ours", async () => {
  await deployOtherProject();
  const url = new URL(database.url);
  const role = `owner_${url.pathname.slice(1)}`;
  await client.query(`CREATE ROLE ${role} LOGIN; GRANT CREATE, USAGE ON SCHEMA public TO ${role}`);
  url.username = role;
  try {
    expect(await migrate({ connectionString: url.href, migrationsDir })).toEqual(SHIPPED);
  } finally {
    await client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

test('an installation of an earlier release is taken over, and nothing is applied twice', async () => {
  await installEarlierRelease();
  expect(await state()).toEqual({ pending: [], isTakeoverDue: true });
  expect(await Promise.all([run(), run(), run()])).toEqual([[], [], []]);
  expect(await recorded()).toEqual(SHIPPED);
  expect(await state()).toEqual({ pending: [], isTakeoverDue: false });
  // An earlier release needs them to start.
  expect(await inPrismasTable()).toEqual(SHIPPED);
});

test('our rows leave the table of Prisma Migrate once another project has rows there', async () => {
  await installEarlierRelease();
  await run();
  await deployOtherProject();
  expect(await run()).toEqual([]);
  expect(await inPrismasTable()).toEqual(['20260101000000_lobbies']);
  expect(await recorded()).toEqual(SHIPPED);
});

test('an installation that another project has stopped is taken over in one run', async () => {
  await installEarlierRelease();
  await deployOtherProject();
  expect(await run()).toEqual([]);
  expect(await recorded()).toEqual(SHIPPED);
  expect(await inPrismasTable()).toEqual(['20260101000000_lobbies']);
});

test('an earlier release that stopped after its first migration is completed', async () => {
  const [first = '', ...rest] = SHIPPED;
  await makePrismasTable();
  await client.query(sqlOf(first));
  await addRow(first, sqlOf(first));
  expect(await state()).toEqual({ pending: rest, isTakeoverDue: true });
  expect(await run()).toEqual(rest);
  expect(await recorded()).toEqual(SHIPPED);
});

test('a date style and a time zone of the database change nothing', async () => {
  const name = new URL(database.url).pathname.slice(1);
  await client.query(
    `ALTER DATABASE ${name} SET datestyle TO 'SQL, DMY'; ALTER DATABASE ${name} SET timezone TO 'Asia/Kolkata'`,
  );
  await installEarlierRelease();
  expect(await run()).toEqual([]);
  expect(await run()).toEqual([]);
  expect(await state()).toEqual({ pending: [], isTakeoverDue: false });
});
