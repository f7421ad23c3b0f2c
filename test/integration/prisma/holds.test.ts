import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHolds } from '../../../src/adapters/prisma/holds.js';
import { openRecordsDatabase, type RecordsDatabase } from '../../support/postgres/records-database.js';

let database: RecordsDatabase;
beforeAll(async () => {
  database = await openRecordsDatabase();
});
afterAll(() => database.close());

test('the list of holds shows an end beyond the range of JavaScript as no end, or as an early date', async () => {
  await database.pool.query(`INSERT INTO retention_holds VALUES
    ('a', '', '', 'infinity'), ('b', '', '', '294276-01-01'), ('c', '', '', '-infinity'), ('d', '', '', '12345-01-01')`);
  const { items } = await createHolds(database).list({ limit: 10 });
  const ends = [null, null, new Date(0), new Date('+012345-01-01T00:00:00Z')];
  expect(items.map(({ heldUntil }) => heldUntil)).toEqual(ends);
});
