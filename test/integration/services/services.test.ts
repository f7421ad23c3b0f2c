import { readdirSync } from 'node:fs';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { askEngine } from '../../../scripts/services/engine.mjs';
import { redisAnswers } from '../../../scripts/services/redis.mjs';
import { createDatabase } from '../../support/postgres/database.js';
import { startRedis, type TestRedis } from '../../support/redis.js';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

const query = async (url: string, text: string): Promise<unknown[]> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>({ text })).rows;
  } finally {
    await client.end();
  }
};

test('the run has a PostgreSQL 18 server of its own that counts in UTC', async () => {
  const rows = await query(
    inject('postgresUrl'),
    `SELECT current_setting('server_version_num')::int / 10000 AS major, current_setting('timezone') AS zone`,
  );
  expect(rows).toEqual([{ major: 18, zone: 'UTC' }]);
});

test('a created database is empty, and can be dropped while a client is connected', async () => {
  const database = await createDatabase();
  expect(await query(database.url, `SELECT FROM pg_tables WHERE schemaname = 'public'`)).toEqual([]);
  const lingering = new Client({ connectionString: database.url });
  const cutOff = new Promise((resolve) => lingering.on('error', resolve));
  await lingering.connect();
  await database.drop();
  await cutOff;
  await expect(query(database.url, 'SELECT 1')).rejects.toThrow(/does not exist/);
});

test('the run has a Docker engine of its own, with nothing in it at first', async () => {
  const answer = await askEngine({ socketPath: inject('engineSocket') }, { path: '/info' });
  expect(answer?.status).toBe(200);
  expect(JSON.parse(answer?.text ?? '')).toMatchObject({ DockerRootDir: inject('engineDataRoot') });
  expect(readdirSync(inject('engineDataRoot'))).toContain('containers');
});

test('a Redis server answers, is silent while frozen, and comes back empty on its port', async () => {
  const where = { host: '127.0.0.1', port: redis.port, timeoutMs: 200 };
  expect(await redisAnswers(where)).toBe(true);
  redis.freeze();
  expect(await redisAnswers(where)).toBe(false);
  redis.thaw();
  expect(await redisAnswers({ ...where, timeoutMs: 5000 })).toBe(true);
  await redis.kill();
  expect(await redisAnswers(where)).toBe(false);
  await redis.restart();
  expect(await redisAnswers(where)).toBe(true);
});
