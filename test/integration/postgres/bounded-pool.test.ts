import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client } from 'pg';
import type { BoundedPool } from '../../../src/adapters/postgres/bounded-pool.js';
import { createPool, lending } from '../../../src/adapters/postgres/pool.js';
import { createQueuePool } from '../../../src/adapters/postgres/queue-pool.js';
import { createDatabase, type TestDatabase } from '../../support/postgres/database.js';

const ROLE = `crowded_${process.pid}`;

let database: TestDatabase;
let admin: Client;
let url: string;

beforeAll(async () => {
  database = await createDatabase();
  admin = new Client({ connectionString: database.url });
  await admin.connect();
  await admin.query(`CREATE ROLE ${ROLE} LOGIN CONNECTION LIMIT 2`);
  const named = new URL(database.url);
  named.username = ROLE;
  url = named.href;
});
afterAll(async () => {
  await admin.query(`DROP ROLE ${ROLE}`);
  await admin.end();
  await database.drop();
});

const open = (max: number): BoundedPool =>
  createPool({ connectionString: url, applicationName: 'crowded', max }, () => undefined);

describe('a pool at the limit of the server', () => {
  test('a pool that may open more connections than the server gives answers every query', async () => {
    const pool = open(10);
    const answers = await Promise.all(
      Array.from(
        { length: 40 },
        async (_, n) => (await pool.query<{ n: number }>('SELECT $1::int AS n', [n])).rows[0]?.n,
      ),
    );
    expect(answers).toEqual(Array.from({ length: 40 }, (_, n) => n));
    expect(pool.totalCount).toBeLessThanOrEqual(2);
    await pool.end();
  });

  test('a pool whose connections are all kept gets one as soon as another pool gives up what it does not use', async () => {
    const [one, other] = [open(4), open(4)];
    one.onFull(other.dropIdle);
    const kept = await one.connect();
    await other.query('SELECT 1');
    expect(other.idleCount).toBe(1);
    expect((await one.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    kept.release();
    await Promise.all([one.end(), other.end()]);
  });
});

test('a busy pool makes its callers wait and does not fail', async () => {
  const pool = open(1);
  const answers = await Promise.all([
    lending(pool)((client) => client.query<{ one: number }>('SELECT 1 AS one FROM pg_sleep(0.3)')),
    ...Array.from({ length: 5 }, () => pool.query<{ one: number }>('SELECT 1 AS one')),
  ]);
  expect(answers.map(({ rows }) => rows)).toEqual(Array.from({ length: 6 }, () => [{ one: 1 }]));
  await pool.end();
});

describe("the queue's pool", () => {
  const SHOW = `SELECT current_setting('synchronous_commit') AS waits, current_setting('statement_timeout') AS limit, current_setting('search_path') AS path`;

  test('one connection waits for the disk for producers, and does not for workers', async () => {
    const settings = { connectionString: database.url, applicationName: 'shared', schema: 'bullmq' };
    const queue = createQueuePool({ ...settings, max: 1, maxForWorkers: 1 }, () => undefined);
    const path = '"bullmq"';
    await admin.query(
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = on', current_database()); END $$`,
    );
    for (const { lent, waits, limit } of [
      { lent: queue.durable, waits: 'on', limit: '10s' },
      { lent: queue.worker, waits: 'off', limit: '1min' },
      { lent: queue.durable, waits: 'on', limit: '10s' },
    ]) {
      expect((await lent.query(SHOW)).rows).toEqual([{ waits, limit, path }]);
    }
    expect(await queue.withClient(async (client) => (await client.query<{ waits: string }>(SHOW)).rows)).toMatchObject([
      { waits: 'on' },
    ]);
    await queue.close();
  });

  test('long requests of workers leave a connection to producers', async () => {
    const settings = { connectionString: database.url, applicationName: 'shared', schema: 'bullmq' };
    const queue = createQueuePool({ ...settings, max: 2, maxForWorkers: 1 }, () => undefined);
    const ended: string[] = [];
    const long = ['worker 1', 'worker 2'].map((name) =>
      queue.worker.query('SELECT pg_sleep(0.3)').then(() => ended.push(name)),
    );
    await queue.durable.query('SELECT 1').then(() => ended.push('producer'));
    await Promise.all(long);
    expect(ended).toEqual(['producer', 'worker 1', 'worker 2']);
    await queue.close();
  });
});
