import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrate } from '../../../src/adapters/postgres/migrations/migrate.js';
import { createPool, lending } from '../../../src/adapters/postgres/pool.js';
import { createPrisma } from '../../../src/adapters/prisma/client.js';
import { createOperationLog } from '../../../src/adapters/prisma/operation-log.js';
import { createRecordQueries } from '../../../src/adapters/prisma/record-queries.js';
import { createRuntimeRecords } from '../../../src/adapters/prisma/runtime-records.js';
import { openRecordsDatabase, type RecordsDatabase } from '../../support/postgres/records-database.js';
import { createDatabase } from '../../support/postgres/database.js';
import { anEntry, aRecord } from '../../support/records.js';
import { createGate } from '../../support/changes.js';
import { fileURLToPath } from 'node:url';

const migrationsDir = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));

let database: RecordsDatabase;
beforeEach(async () => {
  database = await openRecordsDatabase();
});
afterEach(() => database.close());

const withPool = async <T>(url: string, work: (pool: ReturnType<typeof createPool>) => Promise<T>): Promise<T> => {
  const pool = createPool({ connectionString: url, applicationName: 'pool-tests', max: 3 }, () => undefined);
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
};

const setting = (url: string, name: string): Promise<string | undefined> =>
  withPool(url, async (pool) => {
    const { rows } = await pool.query<{ value: string }>('SELECT current_setting($1) AS value', [name]);
    return rows[0]?.value;
  });

describe('a session', () => {
  test.each([
    ['TimeZone', 'UTC'],
    ['search_path', 'public'],
    ['application_name', 'pool-tests'],
    ['lock_timeout', '5s'],
    ['statement_timeout', '10s'],
    ['idle_in_transaction_session_timeout', '15s'],
  ])('a session has %s = %s', async (name, value) => {
    expect(await setting(database.url, name)).toBe(value);
  });

  test('a session keeps the options of the connection string, but not their time zone', async () => {
    const url = `${database.url}?options=${encodeURIComponent('-c work_mem=5MB -c TimeZone=Asia/Kolkata')}&schema=public`;
    expect(await setting(url, 'work_mem')).toBe('5MB');
    expect(await setting(url, 'TimeZone')).toBe('UTC');
  });

  test('a session uses only the schema public, also when a schema is named like its user', async () => {
    await database.pool.query(`CREATE SCHEMA AUTHORIZATION current_user`);
    await database.pool.query(`CREATE TABLE postgres.runtime_records (game_id text)`);
    await database.put(aRecord());
    expect(await createRecordQueries(database).findRecord('game-1')).toEqual(aRecord());
    expect((await createRuntimeRecords(database).take('game-1'))?.record.gameId).toBe('game-1');
  });
});

describe('on a server whose own time zone is far from UTC', () => {
  beforeEach(() =>
    database.pool.query(
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET TimeZone = ''Asia/Kolkata''', current_database()); END $$`,
    ),
  );

  test('an instant is the same for this program, the database and another client, in any time zone of the server', async () => {
    await withPool(database.url, async (pool) => {
      const prisma = createPrisma(pool);
      await database.put(aRecord({ stoppedAt: new Date('2026-03-01T12:00:00.123Z') }));
      expect((await createRuntimeRecords({ prisma }).take('game-1'))?.record.stoppedAt).toEqual(
        new Date('2026-03-01T12:00:00.123Z'),
      );
      expect((await createRecordQueries({ prisma }).findRecord('game-1'))?.stoppedAt).toEqual(
        new Date('2026-03-01T12:00:00.123Z'),
      );
      await prisma.runtimeRecord.update({
        where: { gameId: 'game-1' },
        data: { startedAt: new Date('2026-03-01T06:00:00.000Z') },
      });
      const { rows } = await pool.query(
        `SELECT extract(epoch FROM started_at)::float8 * 1000 AS ms FROM runtime_records`,
      );
      expect(rows).toEqual([{ ms: Date.UTC(2026, 2, 1, 6) }]);
      await createOperationLog({ prisma }).append(anEntry());
      const [operation] = (await createRecordQueries({ prisma }).listOperations({ gameId: 'game-1', limit: 1 })).items;
      expect(Math.abs((operation?.finishedAt.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
      await prisma.$disconnect();
    });
  });

  test('the migrations apply on a server whose time zone is not UTC', async () => {
    const other = await createDatabase();
    try {
      const url = `${other.url}?options=${encodeURIComponent('-c TimeZone=America/New_York')}`;
      expect(await migrate({ connectionString: url, migrationsDir })).not.toEqual([]);
    } finally {
      await other.drop();
    }
  });
});

test('the pool reports an idle connection that the server ended, and goes on', async () => {
  const reported = createGate<Error>();
  const pool = createPool({ connectionString: database.url, applicationName: 'doomed', max: 1 }, reported.open);
  try {
    await pool.query('SELECT 1');
    await database.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'doomed'`,
    );
    expect(await reported.opened).toBeInstanceOf(Error);
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  } finally {
    await pool.end();
  }
});

test("the pool stays open when Prisma's client is disconnected", async () => {
  await withPool(database.url, async (pool) => {
    const prisma = createPrisma(pool);
    await prisma.$queryRaw`SELECT 1`;
    await prisma.$disconnect();
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });
});

describe('a connection after an error that its server answered', () => {
  test.each([
    ['08006', 'a new one'],
    ['57P02', 'a new one'],
    ['25006', 'a new one'],
    ['23505', 'the same'],
  ])('after the state %s the next use gets %s, also when its user gives it back as whole', async (state, expected) => {
    await withPool(database.url, async (pool) => {
      const pid = async (client: Pick<typeof pool, 'query'>) =>
        (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid;
      const lent = await pool.connect();
      const before = await pid(lent);
      const failing = lent.query(`DO $$ BEGIN RAISE EXCEPTION 'answered' USING ERRCODE = '${state}'; END $$`);
      await expect(failing).rejects.toThrow('answered');
      await lent.query('ROLLBACK').catch(() => undefined);
      lent.release();
      expect((await pid(pool)) === before ? 'the same' : 'a new one').toBe(expected);
    });
  });

  test('after a refused write no connection of the pool is used again', async () => {
    await withPool(database.url, async (pool) => {
      const [first, second] = [await pool.connect(), await pool.connect()];
      second.release();
      const failing = first.query(`DO $$ BEGIN RAISE EXCEPTION 'standby' USING ERRCODE = '25006'; END $$`);
      await expect(failing).rejects.toThrow('standby');
      first.release();
      const opened = new Promise((resolve) => pool.once('connect', resolve));
      await Promise.all([pool.query('SELECT 1'), opened]);
      expect(pool.totalCount).toBe(1);
    });
  });
});

describe('a connection that breaks while it is lent out', () => {
  test('a broken lent connection is reported to its borrower only: an event without a listener would end the process', async () => {
    const unheard: unknown[] = [];
    const hear = (error: unknown): void => void unheard.push(error);
    process.on('uncaughtException', hear);
    try {
      await withPool(database.url, async (pool) => {
        await lending(pool)(async (client) => {
          const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
          const ended = new Promise((resolve) => client.once('end', resolve));
          await database.pool.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
          await ended;
          await expect(client.query('SELECT 1')).rejects.toThrow(/not queryable/);
        });
        await pool.query('SELECT 1');
      });
      expect(unheard).toEqual([]);
    } finally {
      process.off('uncaughtException', hear);
    }
  });
});
