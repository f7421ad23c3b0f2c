import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPostgresLeaseStore } from '../../../src/adapters/postgres/lease-store.js';
import { createContainerLooks } from '../../../src/adapters/prisma/container-looks.js';
import { createEngineRegistry } from '../../../src/adapters/prisma/engine-registry.js';
import { createHolds } from '../../../src/adapters/prisma/holds.js';
import { createRecordQueries } from '../../../src/adapters/prisma/record-queries.js';
import { createRuntimeRecords } from '../../../src/adapters/prisma/runtime-records.js';
import { openRecordsDatabase, type RecordsDatabase } from '../../support/postgres/records-database.js';
import { anEntry, aRecord, CONTAINER_ID } from '../../support/records.js';

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

describe('tables that are altered while a worker runs', () => {
  const IDENTITY = { engineId: 'id', rootDir: '/var/lib/docker', storageDriver: 'overlay2' };

  /** Every kind of statement of a cleanup, for one game; rejects as soon as one of them does. */
  async function useAll(gameId: string): Promise<void> {
    const records = createRuntimeRecords(database);
    const engines = createEngineRegistry(database);
    const looks = createContainerLooks(database);
    const leases = createPostgresLeaseStore(database);
    const subject = { engine: 'default', containerId: CONTAINER_ID, gameId, jobId: '1' };
    expect(await leases.acquire(gameId, gameId, 60_000)).toBe(true);
    await engines.seen('default', IDENTITY);
    const taken = await records.take(gameId);
    expect(taken).toMatchObject({ record: { gameId, currentContainerId: CONTAINER_ID } });
    await looks.removalIsNext(subject);
    await looks.foundGone(subject);
    await createHolds(database).list({ limit: 1 });
    expect(await createRecordQueries(database).findRecord(gameId)).toMatchObject({ gameId });
    expect(await engines.list()).toHaveLength(1);
    await engines.accept('default', { name: 'kim', opSource: 'operator_cli' });
    const stale = { ...(taken?.record ?? aRecord()), leaseEpoch: -1n };
    expect(await records.markRemoved(stale, anEntry({ gameId }))).toMatchObject({ status: 'changed' });
    expect(await leases.renew(gameId, gameId, 60_000)).toBe(true);
    expect(await leases.release(gameId, gameId)).toBe(true);
  }

  const ALTERATIONS = [
    'ALTER TABLE runtime_records ADD COLUMN added_later text',
    `ALTER TABLE runtime_records ALTER game_id TYPE varchar(300), ALTER current_container_id TYPE varchar(64),
       ALTER stopped_at TYPE timestamptz(6)`,
    'ALTER TABLE engines ADD COLUMN added_later text, ALTER engine_id TYPE varchar(500)',
    `ALTER TABLE container_looks ALTER game_id TYPE varchar(300), ADD COLUMN added_later text;
     ALTER TABLE retention_holds ALTER game_id TYPE varchar(300), ADD COLUMN added_later text`,
    `ALTER TABLE operation_log ALTER game_id TYPE varchar(300), ADD COLUMN added_later text;
     ALTER TABLE game_leases ALTER token TYPE varchar(300), ADD COLUMN added_later text`,
    'ALTER TABLE runtime_records ALTER game_id TYPE text, DROP COLUMN added_later',
  ];

  test('no statement of two games at once fails or finds less while all tables are altered', async () => {
    const games = Array.from({ length: 3 }, (_, number) => `game-${number}`);
    for (const gameId of games) await database.put(aRecord({ gameId }));
    let altered = false;
    const rounds = games.slice(0, 2).map(async (gameId) => {
      for (let after = 0; after < 2; after += altered ? 1 : 0) await useAll(gameId);
    });
    const client = new Client({ connectionString: database.url });
    await client.connect();
    for (const alteration of ALTERATIONS) {
      await useAll('game-2');
      await client.query(alteration);
    }
    altered = true;
    await client.end();
    expect(await Promise.allSettled(rounds)).toEqual(rounds.map(() => ({ status: 'fulfilled', value: undefined })));
  });
});
