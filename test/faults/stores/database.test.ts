import type { PoolClient } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPool } from '../../../src/adapters/postgres/pool.js';
import { migrate, migrationState } from '../../../src/adapters/postgres/migrations/migrate.js';
import { createPrisma } from '../../../src/adapters/prisma/client.js';
import { createOperationLog } from '../../../src/adapters/prisma/operation-log.js';
import { createRecordQueries } from '../../../src/adapters/prisma/record-queries.js';
import { createRuntimeRecords } from '../../../src/adapters/prisma/runtime-records.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import { openRecordsDatabase, type RecordsDatabase } from '../../support/postgres/records-database.js';
import { eventually } from '../../support/eventually.js';
import { anEntry, aRecord } from '../../support/records.js';
import { startTcpFaultProxy, type TcpFaultProxy } from '../../support/network/tcp-fault-proxy.js';
import { fileURLToPath } from 'node:url';

const migrationsDir = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));

/** Connected without faults: for reading, and for locks that block the program. */
let direct: RecordsDatabase;
let proxy: TcpFaultProxy;
let url: string;
let pool: ReturnType<typeof createPool>;
let prisma: ReturnType<typeof createPrisma>;

beforeAll(async () => {
  direct = await openRecordsDatabase();
});
afterAll(() => direct.close());
beforeEach(async () => {
  await direct.clear();
  proxy = await startTcpFaultProxy({ port: Number(new URL(direct.url).port) });
  url = proxy.urlFor(direct.url);
  pool = createPool({ connectionString: url, applicationName: 'faulty', max: 5 }, () => undefined);
  prisma = createPrisma(pool);
});
afterEach(async () => {
  await proxy.use('pass');
  await prisma.$disconnect();
  await pool.end();
  await proxy.close();
});

/** Every way in which the program uses the database, each as a function to be called under a fault. */
const uses = (): Readonly<Record<string, () => Promise<unknown>>> => ({
  take: () => createRuntimeRecords({ prisma }).take('game-1'),
  markRemoved: () => createRuntimeRecords({ prisma }).markRemoved(aRecord(), anEntry()),
  append: () => createOperationLog({ prisma }).append(anEntry()),
  findRecord: () => createRecordQueries({ prisma }).findRecord('game-1'),
  listRecords: () => createRecordQueries({ prisma }).listRecords({ limit: 5 }),
  listOperations: () => createRecordQueries({ prisma }).listOperations({ gameId: 'game-1', limit: 5 }),
});

const migrations = (): Readonly<Record<string, () => Promise<unknown>>> => ({
  migrate: () => migrate({ connectionString: url, migrationsDir, lockTimeoutMs: 1_000 }),
  migrationState: () => migrationState({ connectionString: url, migrationsDir }),
});

/** How each use ended. */
const endings = async (calls: Readonly<Record<string, () => Promise<unknown>>>): Promise<Record<string, string>> => {
  const ended = await Promise.all(
    Object.entries(calls).map(async ([name, call]) => {
      const ending = await call().then(
        () => 'answered',
        (error: unknown) => (error instanceof UnavailableError ? `unavailable: ${error.dependency}` : String(error)),
      );
      return [name, ending] as const;
    }),
  );
  return Object.fromEntries(ended);
};

const all = (ending: string, calls: Readonly<Record<string, () => Promise<unknown>>>): Record<string, string> =>
  Object.fromEntries(Object.keys(calls).map((name) => [name, ending]));

const UNAVAILABLE = 'unavailable: postgresql';

/** Opens as many connections as the uses need, so that a fault meets live ones. */
const warmUp = async (): Promise<void> => {
  await Promise.all(Array.from({ length: 5 }, () => pool.query('SELECT pg_sleep(0.05)')));
};

const backendsOf = async (applicationName: string, state: string): Promise<number> => {
  const { rows } = await direct.pool.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = $2',
    [applicationName, state],
  );
  return rows[0]?.n ?? 0;
};

describe('a faulty connection to the database', () => {
  test.each(['refuse', 'reset'] as const)(
    'every use of the database is unavailable at once in the mode %s, and recovers',
    async (mode) => {
      await warmUp();
      await proxy.use(mode);
      const startedAtMs = performance.now();
      expect(await endings({ ...uses(), ...migrations() })).toEqual(all(UNAVAILABLE, { ...uses(), ...migrations() }));
      expect(performance.now() - startedAtMs).toBeLessThan(4_000);
      await proxy.use('pass');
      await eventually(async () => expect(await endings(uses())).toEqual(all('answered', uses())));
    },
  );

  test('every use of the database ends after the time to connect when new connections are silent', async () => {
    await proxy.use('blackhole');
    const startedAtMs = performance.now();
    expect(await endings({ ...uses(), ...migrations() })).toEqual(all(UNAVAILABLE, { ...uses(), ...migrations() }));
    expect(performance.now() - startedAtMs).toBeLessThan(12_000);
  });

  test('every use of the database ends after the time for a query when live connections are silent, and recovers', async () => {
    await warmUp();
    await proxy.use('blackhole');
    const startedAtMs = performance.now();
    expect(await endings(uses())).toEqual(all(UNAVAILABLE, uses()));
    expect(performance.now() - startedAtMs).toBeLessThan(25_000);
    await proxy.use('pass');
    await eventually(async () => expect(await endings(uses())).toEqual(all('answered', uses())));
  });
});

describe('a faulty database server', () => {
  /** Makes `work` wait for a row that another transaction has locked, and then does `then` to it. */
  const whileLocked = async <T>(work: () => Promise<T>, then: (other: PoolClient) => Promise<unknown>): Promise<T> => {
    await direct.put(aRecord());
    const other = await direct.pool.connect();
    try {
      await other.query('BEGIN; SELECT FROM runtime_records FOR UPDATE');
      const working = work();
      await eventually(async () => expect(await backendsOf('faulty', 'Lock')).toBe(1));
      await then(other);
      return await working;
    } finally {
      await other.query('ROLLBACK');
      other.release();
    }
  };
  const signalBackends = (how: 'pg_terminate_backend' | 'pg_cancel_backend') =>
    direct.pool.query(
      `SELECT ${how}(pid) FROM pg_stat_activity WHERE application_name = 'faulty' AND wait_event_type = 'Lock'`,
    );
  const take = () => endings({ take: () => createRuntimeRecords({ prisma }).take('game-1') });

  test.each(['pg_terminate_backend', 'pg_cancel_backend'] as const)(
    'the database is unavailable when the server ends the query (%s)',
    async (how) => {
      expect(await whileLocked(take, () => signalBackends(how))).toEqual({ take: UNAVAILABLE });
      expect(await take()).toEqual({ take: 'answered' });
    },
  );

  test('the database is unavailable when a row stays locked too long', async () => {
    expect(await whileLocked(take, async () => undefined)).toEqual({ take: UNAVAILABLE });
  });

  test('a read-only database is unavailable for writing', async () => {
    await direct.put(aRecord());
    await direct.pool.query(
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$`,
    );
    try {
      expect(await take()).toEqual({ take: UNAVAILABLE });
    } finally {
      await direct.pool.query(
        `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET default_transaction_read_only', current_database()); END $$`,
      );
    }
  });

  test('a statement that waited for a row sees the row as it is now, also where the database runs every transaction as serializable', async () => {
    await direct.pool.query(
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = ''serializable''', current_database()); END $$`,
    );
    try {
      const overtaken = await whileLocked(take, (other) =>
        other.query('UPDATE runtime_records SET lease_epoch = lease_epoch + 1; COMMIT'),
      );
      expect(overtaken).toEqual({ take: 'answered' });
    } finally {
      await direct.pool.query(
        `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET default_transaction_isolation', current_database()); END $$`,
      );
    }
  });

  test('a change whose answer is lost is carried out once, and the next attempt finds the record removed', async () => {
    await direct.put(aRecord());
    const records = createRuntimeRecords({ prisma });
    const taken = await records.take('game-1');
    if (taken === undefined) throw new Error('there is no record to take');
    const other = await direct.pool.connect();
    await other.query('BEGIN; SELECT FROM runtime_records FOR UPDATE');
    const marking = endings({ mark: () => records.markRemoved(taken.record, anEntry()) });
    await eventually(async () => expect(await backendsOf('faulty', 'Lock')).toBe(1));
    await proxy.use('reset');
    expect(await marking).toEqual({ mark: UNAVAILABLE });
    await other.query('COMMIT');
    other.release();
    await proxy.use('pass');

    await eventually(async () =>
      expect(await records.markRemoved(taken.record, anEntry())).toMatchObject({ status: 'already_removed' }),
    );
    const { rows } = await direct.pool.query('SELECT count(*)::int AS n FROM operation_log');
    expect(rows).toEqual([{ n: 1 }]);
  });
});

test('a pool whose connections are all taken is unavailable after the time to get one', async () => {
  const held = await Promise.all(Array.from({ length: 5 }, () => pool.connect()));
  const { connectionTimeoutMillis } = pool.options;
  pool.options.connectionTimeoutMillis = 1_000;
  expect(await endings(uses())).toEqual(all(UNAVAILABLE, uses()));
  Object.assign(pool.options, { connectionTimeoutMillis });
  for (const connection of held) connection.release();
  expect(await endings(uses())).toEqual(all('answered', uses()));
});

test('a table that is missing is a bug, not an outage', async () => {
  await direct.pool.query('ALTER TABLE runtime_records RENAME TO elsewhere');
  try {
    const ended = await endings({
      raw: () => createRuntimeRecords({ prisma }).take('game-1'),
      model: () => createRecordQueries({ prisma }).findRecord('game-1'),
    });
    expect(ended['raw']).toMatch(/42P01/);
    expect(ended['model']).toMatch(/"public.runtime_records" does not exist/);
  } finally {
    await direct.pool.query('ALTER TABLE elsewhere RENAME TO runtime_records');
  }
});
