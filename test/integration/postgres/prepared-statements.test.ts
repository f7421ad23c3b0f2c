import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPostgresLeaseStore } from '../../../src/adapters/postgres/lease-store.js';
import { createRuntimeRecords } from '../../../src/adapters/prisma/runtime-records.js';
import { openRecordsDatabase, type RecordsDatabase } from '../../support/postgres/records-database.js';
import { aRecord } from '../../support/records.js';

let database: RecordsDatabase;

beforeAll(async () => {
  database = await openRecordsDatabase();
});
afterAll(() => database.close());
beforeEach(() => database.clear());

/** How often the pool's connection, of which there is one while calls come one after the other, ran each prepared statement. */
const uses = async (prefix: string): Promise<readonly number[]> => {
  const { rows } = await database.pool.query<{ uses: number }>(
    `SELECT (generic_plans + custom_plans)::int AS uses FROM pg_prepared_statements
     WHERE starts_with(name, $1) ORDER BY uses DESC`,
    [prefix],
  );
  return rows.map((row) => row.uses);
};

describe('a connection parses once', () => {
  test('a connection parses the statement that takes a record once for all games', async () => {
    const records = createRuntimeRecords(database);
    for (const gameId of ['game-1', 'game-2', 'game-3']) {
      await database.put(aRecord({ gameId }));
      expect(await records.take(gameId)).toBeDefined();
    }
    expect((await uses('prisma_'))[0]).toBe(3);
  });

  test('a connection parses each statement of a lease once', async () => {
    const leases = createPostgresLeaseStore(database);
    for (const gameId of ['game-1', 'game-2']) {
      expect(await leases.acquire(gameId, 'token', 60_000)).toBe(true);
      expect(await leases.renew(gameId, 'token', 60_000)).toBe(true);
      expect(await leases.release(gameId, 'token')).toBe(true);
    }
    expect(await uses('lease_')).toEqual([2, 2, 2]);
  });
});

test('a running worker goes on when a later release adds a column', async () => {
  const records = createRuntimeRecords(database);
  await database.put(aRecord());
  for (let time = 1; time <= 6; time++) await records.take('game-1');
  await database.pool.query('ALTER TABLE runtime_records ADD COLUMN added_later text');
  expect(await records.take('game-1')).toMatchObject({ record: { gameId: 'game-1' } });
});
