import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRetentionRecords } from '../../../src/adapters/prisma/retention-records.js';
import type { RetentionRecord, RetentionRecords } from '../../../src/retention/ports.js';
import { openRecordsDatabase, type RecordsDatabase } from '../../support/postgres/records-database.js';
import { NOW, RETENTION_MS } from '../../unit/retention/cases.js';
import { population } from '../../unit/retention/populations.js';
import { createFakeRetentionRecords, type Row } from '../../support/fakes/retention-records.js';

/** The properties of plan and sweep are tested on a fake; this test compares the fake with PostgreSQL on the same rows. */

let database: RecordsDatabase;
let records: RetentionRecords;

beforeAll(async () => {
  database = await openRecordsDatabase();
  records = createRetentionRecords(database);
});
afterAll(() => database.close());

const textOf = (ms: number): string => {
  if (!Number.isFinite(ms)) return ms > 0 ? 'infinity' : '-infinity';
  return new Date(ms).toISOString();
};

const put = async (rows: readonly Row[]): Promise<void> => {
  await database.clear();
  await database.pool.query(
    `INSERT INTO runtime_records (game_id, status, stopped_at, last_op_at, created_at)
     SELECT id, status, at, now(), now() FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS t (id, status, at)`,
    [rows.map(({ gameId }) => gameId), rows.map(({ status }) => status), rows.map(({ sinceMs }) => textOf(sinceMs))],
  );
  const holds = rows.flatMap(({ hold }) => (hold === null ? [] : [hold]));
  await database.pool.query(
    `INSERT INTO retention_holds SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])`,
    [
      holds.map(({ gameId }) => gameId),
      holds.map(({ reason }) => reason),
      holds.map(({ heldBy }) => heldBy),
      holds.map(({ heldUntil }) => heldUntil?.toISOString() ?? null),
    ],
  );
};

/** Each store writes positions in its own way. */
const facts = (found: readonly RetentionRecord[]) =>
  found.map(({ gameId, status, containerId, since, stoppedForMs, hold }) => ({
    gameId,
    status,
    containerId,
    since,
    stoppedForMs,
    hold,
  }));

const walk = async (from: RetentionRecords, stoppedForMs: number | null, limit: number): Promise<RetentionRecord[]> => {
  const found: RetentionRecord[] = [];
  for (;;) {
    const after = found.at(-1)?.position ?? null;
    const page = await from.stopped({ asOf: NOW, stoppedForMs, after, limit });
    found.push(...page);
    if (page.length < limit) return found;
  }
};

test('the fake records give the same answers as PostgreSQL', async () => {
  await fc.assert(
    fc.asyncProperty(population, fc.integer({ min: 20, max: 300 }), async ({ rows, dead }, limit) => {
      await put(rows);
      const fake = createFakeRetentionRecords(
        () => rows,
        () => NOW,
      );
      for (const stoppedForMs of [null, RETENTION_MS]) {
        expect(facts(await walk(records, stoppedForMs, limit))).toEqual(facts(await walk(fake, stoppedForMs, 1_000)));
      }
      const census = await records.census(RETENTION_MS, [...dead.keys()]);
      const found = await records.find(rows.map(({ gameId }) => gameId));
      // These two are asked by the database's own clock.
      const atCensus = createFakeRetentionRecords(
        () => rows,
        () => census.asOf,
      );
      expect(census).toEqual(await atCensus.census(RETENTION_MS, [...dead.keys()]));
      const atFind = await createFakeRetentionRecords(
        () => rows,
        () => found.asOf,
      ).find(rows.map(({ gameId }) => gameId));
      expect(facts(found.records.toSorted(byId))).toEqual(facts(atFind.records.toSorted(byId)));
    }),
    { numRuns: 25 },
  );
});

const byId = (a: RetentionRecord, b: RetentionRecord): number => (a.gameId < b.gameId ? -1 : 1);
