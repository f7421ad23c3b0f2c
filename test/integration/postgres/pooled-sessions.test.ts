import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createPool } from '../../../src/adapters/postgres/pool.js';
import { createQueuePool } from '../../../src/adapters/postgres/queue-pool.js';
import { createReadOnlyPool } from '../../../src/adapters/postgres/read-only-pool.js';
import { eventually } from '../../support/eventually.js';
import { startTcpFaultProxy } from '../../support/network/tcp-fault-proxy.js';
import { createDatabaseWith, type TestDatabase } from '../../support/postgres/database.js';
import { IGNORING_PARAMETERS, type PgBouncer, startPgBouncer } from '../../support/postgres/pgbouncer.js';

let session: PgBouncer;
let transaction: PgBouncer;

beforeAll(async () => {
  const serverUrl = inject('postgresUrl');
  [session, transaction] = await Promise.all([
    startPgBouncer({ serverUrl, mode: 'session' }),
    startPgBouncer({ serverUrl, mode: 'transaction', settings: IGNORING_PARAMETERS }),
  ]);
});
afterAll(() => Promise.all([session.stop(), transaction.stop()]));

/** The settings that this program asks for, as a session of its own has them. */
const ASKED = ['TimeZone', 'DateStyle', 'search_path', 'client_encoding', 'statement_timeout', 'synchronous_commit'];
const ALL = ASKED.map((name) => `current_setting('${name}') AS "${name}"`).join(', ');

const withPool = async <T>(pool: Pool, work: (pool: Pool) => Promise<T>): Promise<T> => {
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
};
const ours = (url: string) =>
  createPool({ connectionString: url, applicationName: 'sessions', max: 2 }, () => undefined);
const anyClient = (url: string) => new Pool({ connectionString: url, max: 1 });

describe('a session of a pooler', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabaseWith({ TimeZone: 'America/New_York' });
  });
  afterAll(() => database.drop());

  test('a session is left as it was found: no setting, no prepared statement, no lock', async () => {
    const url = transaction.urlOf(database.url);
    const look = `SELECT pg_backend_pid() AS pid, ${ALL}, (SELECT count(*)::int FROM pg_prepared_statements) AS prepared,
      (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS locks`;
    await withPool(anyClient(url), async (other) => {
      const before: unknown = (await other.query(look)).rows[0];
      await withPool(ours(url), async (pool) => {
        const { rows } = await pool.query({
          name: 'named',
          text: `SELECT pg_backend_pid() AS pid, $1::int AS one`,
          values: [1],
        });
        expect(rows).toMatchObject([{ one: 1 }]);
        await pool.query('SELECT 1');
      });
      expect((await other.query(look)).rows[0]).toEqual(before);
      expect(before).toMatchObject({ TimeZone: 'America/New_York', prepared: 0, locks: 0 });
    });
  });

  test("the queue's requests of workers and of others differ in settings, and leave none in the session", async () => {
    const url = transaction.urlOf(database.url);
    const settings = { connectionString: url, applicationName: 'sessions', max: 1, maxForWorkers: 1, schema: 'public' };
    const queue = createQueuePool(settings, () => undefined);
    const look = `SELECT current_setting('synchronous_commit') AS waits, current_setting('statement_timeout') AS limit`;
    try {
      await withPool(anyClient(url), async (other) => {
        const before: unknown = (await other.query(look)).rows;
        expect((await queue.worker.query(look)).rows).toEqual([{ waits: 'off', limit: '1min' }]);
        expect((await queue.durable.query(look)).rows).toEqual([{ waits: 'on', limit: '10s' }]);
        expect((await queue.worker.query(look)).rows).toEqual([{ waits: 'off', limit: '1min' }]);
        expect((await other.query(look)).rows).toEqual(before);
      });
    } finally {
      await queue.close();
    }
  });

  test('what another client has set in a session does not reach our statements', async () => {
    const url = transaction.urlOf(database.url);
    await withPool(anyClient(url), async (other) => {
      await other.query(`SET search_path = nowhere; SET statement_timeout = 1234; SET synchronous_commit = off`);
      const { rows } = await other.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await withPool(ours(url), async (pool) => {
        for (const query of [
          `SELECT pg_backend_pid() AS pid, ${ALL}`,
          { text: `SELECT $1::int AS pid, ${ALL}`, values: [rows[0]?.pid] },
        ]) {
          expect((await pool.query(query)).rows).toEqual([
            {
              pid: rows[0]?.pid,
              TimeZone: 'UTC',
              DateStyle: 'ISO, MDY',
              search_path: 'public',
              client_encoding: 'UTF8',
              statement_timeout: '10s',
              synchronous_commit: 'on',
            },
          ]);
        }
      });
    });
  });

  test('a transaction keeps its settings from BEGIN on, and ends as usual after an error', async () => {
    await withPool(ours(transaction.urlOf(database.url)), async (pool) => {
      const client = await pool.connect();
      await client.query('BEGIN');
      expect((await client.query(`SELECT current_setting('TimeZone') AS zone, $1::int`, [1])).rows).toMatchObject([
        { zone: 'UTC' },
      ]);
      await expect(client.query('SELECT 1 / $1::int', [0])).rejects.toThrow('division by zero');
      expect((await client.query('ROLLBACK')).command).toBe('ROLLBACK');
      expect((await client.query('SELECT 1 AS one; SELECT 2 AS two')) as unknown).toMatchObject([
        { rows: [{ one: 1 }] },
        { rows: [{ two: 2 }] },
      ]);
      client.release();
    });
  });

  test('a read-only pool writes nothing, behind a pooler too', async () => {
    for (const url of [database.url, transaction.urlOf(database.url)]) {
      const pool = createReadOnlyPool({ connectionString: url, applicationName: 'sessions', max: 1 }, () => undefined);
      await withPool(pool, async (reader) => {
        await expect(reader.query('CREATE TABLE written (one int)')).rejects.toThrow('read-only transaction');
      });
    }
  });
});

const portOf = (url: string): number => Number(new URL(url).port);

describe('a pooler that takes the place of the server', () => {
  test.each([
    ['refuses', () => session],
    ['ignores', () => transaction],
  ])('a pooler that %s startup parameters is found by the next connections', async (_how, pooler) => {
    const database = await createDatabaseWith({});
    const line = await startTcpFaultProxy({ port: portOf(database.url) });
    try {
      await withPool(ours(line.urlFor(database.url)), async (pool) => {
        const named = {
          name: 'named',
          text: `SELECT current_setting('search_path') AS path, $1::int AS one`,
          values: [1],
        };
        const both = () => Promise.all([pool.query(named), pool.query(named)]);
        await both();
        line.redirect(portOf(pooler().urlOf(database.url)));
        line.resetConnections();
        await eventually(async () => {
          for (const { rows } of await both()) expect(rows).toEqual([{ path: 'public', one: 1 }]);
        });
      });
    } finally {
      await line.close();
      await database.drop();
    }
  });
});
