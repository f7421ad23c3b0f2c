import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrate, migrationState } from '../../../src/adapters/postgres/migrations/migrate.js';
import { UnavailableError, MigrationError } from '../../../src/domain/errors.js';
import { createDatabase, type TestDatabase } from '../../support/postgres/database.js';

const shipped = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));
const INIT = '20261123000000_init';
/** All migrations, in order. */
const SHIPPED = [INIT, '20261129000000_engines'];
const LOCK = '1381256519, 2';

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
const pending = async () => (await migrationState({ connectionString: database.url, migrationsDir })).pending;
const fileOf = (name: string) => path.join(migrationsDir, name, 'migration.sql');

const addMigration = async (name: string, sql: string): Promise<void> => {
  await mkdir(path.dirname(fileOf(name)));
  await writeFile(fileOf(name), sql);
};

const column = async (sql: string): Promise<unknown[]> =>
  (await client.query<unknown[]>({ text: sql, rowMode: 'array' })).rows.flat();
const books = () =>
  client.query<Record<string, unknown>>('SELECT * FROM runtime_cleanup_migrations').then(({ rows }) => rows);

describe('an empty database', () => {
  test('an empty database gets every table of the contract, and a second run has nothing to do', async () => {
    expect(await pending()).toEqual(SHIPPED);
    expect(await run()).toEqual(SHIPPED);
    expect(await pending()).toEqual([]);
    expect(await run()).toEqual([]);
    expect(
      await column(`SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`),
    ).toEqual([
      'container_looks',
      'engines',
      'game_leases',
      'operation_log',
      'retention_holds',
      'runtime_cleanup_migrations',
      'runtime_records',
    ]);
  });

  test('an empty database gets a row of each migration with the checksum of its file', async () => {
    await run();
    const rowOf = async (name: string) => ({
      name,
      checksum: createHash('sha256')
        .update(await readFile(fileOf(name)))
        .digest('hex'),
      started_at: expect.any(Date),
      finished_at: expect.any(Date),
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
    expect(await column(`SELECT to_regclass('runtime_cleanup_migrations')`)).toEqual([null]);
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
    await client.query('UPDATE runtime_cleanup_migrations SET checksum = $1 WHERE name = $2', [checksum, INIT]);
    expect(await run()).toEqual([]);
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

  test('a database with a migration that this program does not know is refused', async () => {
    await client.query(`UPDATE runtime_cleanup_migrations SET name = '20300101000000_newer' WHERE name = $1`, [INIT]);
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
    expect((await books()).map((row) => row['name'])).toEqual(SHIPPED);

    await writeFile(fileOf('20270101000000_a'), 'CREATE TABLE scratch (a text)');
    expect(await run()).toEqual(['20270101000000_a']);
  });
});

describe('waiting', () => {
  const takeLock = () => client.query(`SELECT pg_advisory_lock(${LOCK})`);

  test('the wait for another process that migrates has a limit, and the error names that process', async () => {
    await client.query(`SET application_name = 'the other one'`);
    await takeLock();
    await expect(run(300)).rejects.toThrow(
      /another process has held the migration lock for 300 ms; .*process \d+ \(role "postgres", application "the other one", idle\)/,
    );
  });

  test('the wait for another process that migrates is reported, and ends when that process is done', async () => {
    await takeLock();
    const applied = await migrate({
      connectionString: database.url,
      migrationsDir,
      report: (line) => {
        if (line.startsWith('waiting')) void client.query(`SELECT pg_advisory_unlock(${LOCK})`);
      },
    });
    expect(applied).toEqual(SHIPPED);
  });

  describe('for a table that another session has locked', () => {
    beforeEach(async () => {
      await run();
      await addMigration('20270101000000_a', 'ALTER TABLE runtime_records ADD COLUMN note text');
      await client.query(`SET application_name = 'the other one'; BEGIN; SELECT FROM runtime_records`);
    });

    test('the wait has a limit, and the error names the session', async () => {
      const migrated = run(1_500);
      await expect(migrated).rejects.toBeInstanceOf(UnavailableError);
      await expect(migrated).rejects.toThrow(
        /^migration 20270101000000_a got no lock within 1500 ms; blocked by process \d+ \(role "postgres", application "the other one", idle in transaction\)$/,
      );
      await client.query('ROLLBACK');
      expect(await run()).toEqual(['20270101000000_a']);
    });

    test('the wait is reported, other statements go on between its tries, and it ends with the lock', async () => {
      const reader = new Client({ connectionString: database.url });
      await reader.connect();
      await reader.query(`SET lock_timeout = '3s'`);
      const lines: string[] = [];
      let read: Promise<unknown> = Promise.resolve();
      const migrated = migrate({
        connectionString: database.url,
        migrationsDir,
        report: (line) => {
          lines.push(line);
          if (!line.includes('waits for a lock')) return;
          read = reader.query('SELECT FROM runtime_records').then(() => client.query('ROLLBACK'));
        },
      });
      expect(await migrated).toEqual(['20270101000000_a']);
      await read;
      await reader.end();
      expect(lines[1]).toMatch(/^migration 20270101000000_a waits for a lock; blocked by process .*; trying again/);
    });
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
