import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createPostgresLeaseStore } from '../../../src/adapters/postgres/lease-store.js';
import { createHolds } from '../../../src/adapters/prisma/holds.js';
import { createOperationLog } from '../../../src/adapters/prisma/operation-log.js';
import { createRecordQueries } from '../../../src/adapters/prisma/record-queries.js';
import { createRuntimeRecords } from '../../../src/adapters/prisma/runtime-records.js';
import { createRedis, untilReady } from '../../../src/adapters/redis/connection.js';
import { createRedisLeaseStore } from '../../../src/adapters/redis/lease-store.js';
import type { LeaseStore } from '../../../src/lease/lease-store.js';
import { openRecordsDatabase, type RecordsDatabase } from '../../support/postgres/records-database.js';
import { anEntry, aRecord } from '../../support/records.js';
import { startRedis, type TestRedis } from '../../support/redis.js';
import { fuzz, UNHURRIED } from '../../unit/fuzz/fuzzing.js';
import { gameId } from '../../unit/fuzz/ids.js';

const games = fc.uniqueArray(gameId, { minLength: 2, maxLength: 25, size: 'max' });
/** By UTF-8, as PostgreSQL sorts where it sorts by code point. */
const sorted = (ids: readonly string[]): readonly string[] =>
  ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

let database: RecordsDatabase;
let server: TestRedis;
let redis: ReturnType<typeof createRedis>;
beforeAll(async () => {
  [database, server] = await Promise.all([openRecordsDatabase(), startRedis()]);
  redis = createRedis({ url: server.url, role: 'commands', onError: () => undefined });
  await untilReady(redis, 10_000, new AbortController().signal);
});
afterAll(async () => {
  redis.disconnect();
  await Promise.all([database.close(), server.stop()]);
});

it('a game with any name is read as it was written', UNHURRIED, async () => {
  const records = createRuntimeRecords(database);
  const queries = createRecordQueries(database);
  const holds = createHolds(database);
  const log = createOperationLog(database);
  await fc.assert(
    fc
      .asyncProperty(games, async (ids) => {
        for (const [index, id] of ids.entries()) {
          await database.put(aRecord({ gameId: id, statePath: `/srv/${index}` }));
          await holds.put({ gameId: id, reason: id, heldBy: id, end: null });
          await log.append(anEntry({ gameId: id, sourceRef: id, errorMessage: id, jobId: String(index) }));
        }
        for (const [index, id] of ids.entries()) {
          const path = `/srv/${index}`;
          expect(await queries.findRecord(id)).toMatchObject({ gameId: id, statePath: path });
          expect(await records.take(id)).toMatchObject({ record: { gameId: id, statePath: path }, held: true });
          const { items } = await queries.listOperations({ gameId: id, limit: 10 });
          expect(items).toMatchObject([{ gameId: id, sourceRef: id, errorMessage: id, jobId: String(index) }]);
        }
        const held = await holds.list({ limit: 100 });
        expect(held.items.map((hold) => [hold.gameId, hold.reason, hold.heldBy])).toEqual(
          sorted(ids).map((id) => [id, id, id]),
        );
      })
      .beforeEach(() => database.clear()),
    fuzz(10),
  );
});

it.each<[string, () => LeaseStore, () => Promise<unknown>]>([
  ['Redis', () => createRedisLeaseStore({ redis }), () => redis.flushall()],
  ['PostgreSQL', () => createPostgresLeaseStore(database), () => database.pool.query('TRUNCATE game_leases')],
])('no two games share a lease in %s', UNHURRIED, async (_name, open, clear) => {
  const store = open();
  await fc.assert(
    fc
      .asyncProperty(games, async (ids) => {
        for (const id of ids) expect(await store.acquire(id, `token of ${id}`, 60_000)).toBe(true);
        for (const id of ids) expect(await store.acquire(id, 'another token', 60_000)).toBe(false);
        for (const id of ids) expect(await store.release(id, `token of ${id}`)).toBe(true);
      })
      .beforeEach(async () => void (await clear())),
    fuzz(10),
  );
});
