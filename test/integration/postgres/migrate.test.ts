import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrate, pendingMigrations } from '../../../src/adapters/postgres/migrate.js';
import { UnavailableError, MigrationError } from '../../../src/domain/errors.js';
import { createDatabase, type TestDatabase } from '../../support/postgres/database.js';

const shipped = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));
const INIT = '20261123000000_init';
/** All migrations, in order. */
const SHIPPED = [INIT, '20261129000000_engines'];
const PRISMA_LOCK = 72707369;

let database: TestDatabase;
let client: Client;
let folder: string;
let migrationsDir: string;

beforeEach(async () => {
  database = await createDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
  folder = await mkdtemp(path.join(tmpdir(), 'migrations-'));
  migrationsDir = path.join(folder, 'migrations');
  await cp(shipped, migrationsDir, { recursive: true });
});

afterEach(async () => {
  await client.end();
  await database.drop();
  await rm(folder, { recursive: true });
});

const run = (lockTimeoutMs = 20_000) => migrate({ connectionString: database.url, migrationsDir, lockTimeoutMs });
const pending = () => pendingMigrations({ connectionString: database.url, migrationsDir });
const fileOf = (name: string) => path.join(migrationsDir, name, 'migration.sql');

const addMigration = async (name: string, sql: string): Promise<void> => {
  await mkdir(path.dirname(fileOf(name)));
  await writeFile(fileOf(name), sql);
};

const column = async (sql: string): Promise<unknown[]> =>
  (await client.query<unknown[]>({ text: sql, rowMode: 'array' })).rows.flat();
const books = () => client.query<Record<string, unknown>>('SELECT * FROM _prisma_migrations').then(({ rows }) => rows);

describe('an empty database', () => {
  test('an empty database gets every table of the contract, and a second run has nothing to do', async () => {
    expect(await pending()).toEqual(SHIPPED);
    expect(await run()).toEqual(SHIPPED);
    expect(await pending()).toEqual([]);
    expect(await run()).toEqual([]);
    expect(
      await column(`SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`),
    ).toEqual([
      '_prisma_migrations',
      'container_looks',
      'engines',
      'game_leases',
      'operation_log',
      'retention_holds',
      'runtime_records',
    ]);
  });

  test('an empty database gets a bookkeeping row of each migration as Prisma Migrate writes it', async () => {
    await run();
    const rowOf = async (name: string) => ({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      checksum: createHash('sha256')
        .update(await readFile(fileOf(name)))
        .digest('hex'),
      finished_at: expect.any(Date),
      migration_name: name,
      logs: null,
      rolled_back_at: null,
      started_at: expect.any(Date),
      applied_steps_count: 1,
    });
    expect(await books()).toEqual(await Promise.all(SHIPPED.map(rowOf)));
  });

  test('an empty database is migrated once by eight runs that start at once', async () => {
    const applied = await Promise.all(Array.from({ length: 8 }, () => run()));
    expect(applied.flat()).toEqual(SHIPPED);
    expect(await books()).toHaveLength(SHIPPED.length);
  });

  test('an empty database is not changed by a look at the pending migrations', async () => {
    await pending();
    expect(await column(`SELECT to_regclass('_prisma_migrations')`)).toEqual([null]);
  });

  test('an empty database can be migrated by a role that may not create schemas', async () => {
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
});

describe('the history in the database', () => {
  beforeEach(() => run());

  test('a run applies the missing migrations in order', async () => {
    await addMigration('20270102000000_b', 'ALTER TABLE scratch ADD COLUMN b text');
    await addMigration('20270101000000_a', 'CREATE TABLE scratch (a text)');
    expect(await pending()).toEqual(['20270101000000_a', '20270102000000_b']);
    expect(await run()).toEqual(['20270101000000_a', '20270102000000_b']);
    expect(await column(`SELECT column_name FROM information_schema.columns WHERE table_name = 'scratch'`)).toEqual([
      'a',
      'b',
    ]);
  });

  test('a migration with other line ends is the same migration', async () => {
    const sql = await readFile(fileOf(INIT), 'utf8');
    await writeFile(fileOf(INIT), sql.replaceAll('\n', '\r\n'));
    expect(await run()).toEqual([]);
  });

  test('a migration whose checksum was recorded with other line ends is the same migration', async () => {
    const sql = await readFile(fileOf(INIT), 'utf8');
    const checksum = createHash('sha256').update(sql.replaceAll('\n', '\r\n')).digest('hex');
    await client.query('UPDATE _prisma_migrations SET checksum = $1 WHERE migration_name = $2', [checksum, INIT]);
    expect(await run()).toEqual([]);
  });

  test('a migration that was marked as rolled back is applied again', async () => {
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, rolled_back_at) VALUES ('x', 'y', '20270101000000_a', now())`,
    );
    await addMigration('20270101000000_a', 'CREATE TABLE scratch (a text)');
    expect(await run()).toEqual(['20270101000000_a']);
  });
});

describe('a refusal in one line that says what to do', () => {
  beforeEach(() => run());

  /** Why both the migration and the look at what is pending refuse. */
  const refusal = async (): Promise<string> => {
    const reasons: unknown[] = await Promise.all(
      [run, pending].map((attempt) => attempt().catch((thrown: unknown) => thrown)),
    );
    expect(reasons).toEqual([expect.any(MigrationError), expect.any(MigrationError)]);
    expect(String(reasons[1])).toBe(String(reasons[0]));
    expect(String(reasons[0])).not.toContain('\n');
    return String(reasons[0]);
  };

  test('a migration that was edited after it was applied is refused', async () => {
    await writeFile(fileOf(INIT), 'SELECT 1');
    expect(await refusal()).toMatch(/20261123000000_init was edited after it was applied; restore its migration\.sql/);
  });

  test('a migration that failed earlier is refused', async () => {
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, logs) VALUES ('x', 'y', '20270101000000_a', E'relation exists\\nmore')`,
    );
    expect(await refusal()).toMatch(
      /20270101000000_a failed earlier \(relation exists\); .*prisma migrate resolve --rolled-back 20270101/,
    );
  });

  test('a database with a migration that this program does not know is refused', async () => {
    await client.query(
      `UPDATE _prisma_migrations SET migration_name = '20300101000000_newer' WHERE migration_name = $1`,
      [INIT],
    );
    expect(await refusal()).toMatch(
      /20300101000000_newer, which this program does not know; run the release that brought it/,
    );
  });

  test('a folder without migrations is refused', async () => {
    migrationsDir = path.join(folder, 'elsewhere');
    expect(await refusal()).toMatch(/cannot read the migrations: .*elsewhere/);
    await mkdir(migrationsDir);
    expect(await refusal()).toMatch(/elsewhere holds no migrations/);
  });

  test('a migration without its file is refused', async () => {
    await mkdir(path.join(migrationsDir, '20270101000000_a'));
    expect(await refusal()).toMatch(/20270101000000_a cannot be read/);
  });
});

describe('a migration that fails', () => {
  test('a migration that fails leaves nothing behind, so that the next run may try again', async () => {
    await addMigration('20270101000000_a', 'CREATE TABLE scratch (a text);\nSELECT * FROM no_such_table;');
    await expect(run()).rejects.toThrow(
      'migration 20270101000000_a failed and was rolled back: relation "no_such_table" does not exist (SQLSTATE 42P01)',
    );
    expect(await column(`SELECT to_regclass('scratch')`)).toEqual([null]);
    expect((await books()).map((row) => row['migration_name'])).toEqual(SHIPPED);

    await writeFile(fileOf('20270101000000_a'), 'CREATE TABLE scratch (a text)');
    expect(await run()).toEqual(['20270101000000_a']);
  });
});

describe('waiting', () => {
  test('the wait for another process that migrates has a limit', async () => {
    await client.query('SELECT pg_advisory_lock($1)', [PRISMA_LOCK]);
    await expect(run(300)).rejects.toThrow(/another process has held the migration lock for 300 ms/);
  });

  test('the wait for another process that migrates is reported, and ends when that process is done', async () => {
    await client.query('SELECT pg_advisory_lock($1)', [PRISMA_LOCK]);
    const applied = await migrate({
      connectionString: database.url,
      migrationsDir,
      report: (line) => {
        if (line.startsWith('waiting')) void client.query('SELECT pg_advisory_unlock($1)', [PRISMA_LOCK]);
      },
    });
    expect(applied).toEqual(SHIPPED);
  });

  test('the wait for a table that another client has locked has a limit', async () => {
    await run();
    await addMigration('20270101000000_a', 'ALTER TABLE runtime_records ADD COLUMN note text');
    await client.query('BEGIN; LOCK TABLE runtime_records');
    const migrated = run(300);
    await expect(migrated).rejects.toBeInstanceOf(UnavailableError);
    await client.query('ROLLBACK');
    expect(await run()).toEqual(['20270101000000_a']);
  });
});

describe('a server that cannot be used', () => {
  test('a database without a listener is unavailable', async () => {
    const connectionString = 'postgresql://user@127.0.0.1:1/nothing';
    await expect(migrate({ connectionString, migrationsDir })).rejects.toBeInstanceOf(UnavailableError);
  });

  test('a server without the database gets an error of its own', async () => {
    const url = new URL(database.url);
    url.pathname = '/no_such_database';
    await expect(migrate({ connectionString: url.href, migrationsDir })).rejects.toThrow(
      /database "no_such_database" does not exist; create it first/,
    );
  });
});
