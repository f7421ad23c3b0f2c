import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createOperationLog } from '../../../src/adapters/prisma/operation-log.js';
import { createRecordQueries } from '../../../src/adapters/prisma/record-queries.js';
import type { OperationLog } from '../../../src/cleanup/ports.js';
import type { LoggedOperation, RecordQueries } from '../../../src/domain/record-queries.js';
import { Prisma } from '../../../src/generated/prisma/client.js';
import { openRecordsDatabase, type RecordsDatabase } from '../../support/postgres/records-database.js';
import { anEntry, aRecord } from '../../support/records.js';

let database: RecordsDatabase;
let log: OperationLog;
let queries: RecordQueries;

beforeAll(async () => {
  database = await openRecordsDatabase();
  log = createOperationLog(database);
  queries = createRecordQueries(database);
});
afterAll(() => database.close());
beforeEach(() => database.clear());

const onlyOperation = async (gameId = 'game-1'): Promise<LoggedOperation> => {
  const { items } = await queries.listOperations({ gameId, limit: 10 });
  const [operation] = items;
  if (operation === undefined || items.length > 1) throw new Error(`${items.length} operations of ${gameId}`);
  return operation;
};

describe('the operation log', () => {
  test("the operation log takes both times from the database's clock: the start is earlier by the duration", async () => {
    await log.append(anEntry({ elapsedMs: 1_500.4 }));
    const { startedAt, finishedAt } = await onlyOperation();
    expect(finishedAt.getTime() - startedAt.getTime()).toBeGreaterThanOrEqual(1_500);
    expect(finishedAt.getTime() - startedAt.getTime()).toBeLessThanOrEqual(1_501);
    const { rows } = await database.pool.query<{ recent: boolean }>(
      `SELECT finished_at BETWEEN now() - interval '10 seconds' AND now() + interval '1 ms' AS recent FROM operation_log`,
    );
    expect(rows).toEqual([{ recent: true }]);
  });

  test('the operation log stores a refused request without the characters that PostgreSQL cannot store', async () => {
    await log.append(
      anEntry({ gameId: 'a\0b', opSource: 'no-one\uD800', errorMessage: `no \0\uDC00${'é'.repeat(9_000)}` }),
    );
    expect(await onlyOperation('ab')).toMatchObject({ opSource: 'no-one\uFFFD' });
    const { errorMessage } = await onlyOperation('ab');
    expect(errorMessage.startsWith('no \uFFFDéé')).toBe(true);
    expect(errorMessage).toHaveLength(4_000);
  });

  const change = (sql: string) => database.pool.query(sql);

  test('the operation log refuses updates, deletes and truncation', async () => {
    await log.append(anEntry());
    const refused = /operation_log is append-only/;
    await expect(change(`UPDATE operation_log SET outcome = 'failure'`)).rejects.toThrow(refused);
    await expect(change('DELETE FROM operation_log')).rejects.toThrow(refused);
    await expect(change('TRUNCATE operation_log')).rejects.toThrow(refused);
    expect(await onlyOperation()).toMatchObject({ outcome: 'success' });
  });

  test('a client that asks for it can prune rows of the operation log, but not change them', async () => {
    await log.append(anEntry());
    const prune = `SET LOCAL rtmanager.prune_operation_log = 'on'`;
    await expect(change(`BEGIN; ${prune}; UPDATE operation_log SET attempt = 9; COMMIT`)).rejects.toThrow(
      /append-only/,
    );
    await change(`BEGIN; ${prune}; DELETE FROM operation_log WHERE finished_at <= now(); COMMIT`);
    expect(await queries.listOperations({ gameId: 'game-1', limit: 1 })).toEqual({ items: [], next: null });
    await log.append(anEntry());
    await expect(change('DELETE FROM operation_log')).rejects.toThrow(/append-only/);
  });

  test('the number of a row of the operation log cannot be chosen', async () => {
    await expect(
      change(`INSERT INTO operation_log (id, game_id, op_kind, op_source, outcome, started_at, finished_at)
              VALUES (1, 'g', 'k', 's', 'success', now(), now())`),
    ).rejects.toThrow(/cannot insert a non-DEFAULT value/);
  });
});

describe('the tables', () => {
  test.each([
    ['an unknown status', `UPDATE runtime_records SET status = 'lost'`],
    [
      'an unknown outcome',
      `INSERT INTO operation_log (game_id, op_kind, op_source, outcome, started_at, finished_at)
                            VALUES ('g', 'k', 's', 'perhaps', now(), now())`,
    ],
  ])('the tables refuse %s', async (_what, sql) => {
    await database.put(aRecord());
    await expect(database.pool.query(sql)).rejects.toThrow(/_check/);
  });

  test('the tables have the columns that Prisma knows, and no others', async () => {
    const { rows } = await database.pool.query<{ name: string; columns: number }>(`
      SELECT table_name AS name, count(*)::int AS columns FROM information_schema.columns
      WHERE table_schema = 'public' AND table_name <> 'runtime_cleanup_migrations' GROUP BY 1 ORDER BY 1`);
    const known = {
      container_looks: Prisma.ContainerLookScalarFieldEnum,
      engines: Prisma.EngineScalarFieldEnum,
      game_leases: Prisma.GameLeaseScalarFieldEnum,
      operation_log: Prisma.OperationLogEntryScalarFieldEnum,
      retention_holds: Prisma.RetentionHoldScalarFieldEnum,
      runtime_records: Prisma.RuntimeRecordScalarFieldEnum,
    };
    expect(rows).toEqual(
      Object.entries(known).map(([name, fields]) => ({ name, columns: Object.keys(fields).length })),
    );
    // Each names every column of its table.
    const { prisma } = database;
    const found = await Promise.all([
      prisma.containerLook.findFirst(),
      prisma.engine.findFirst(),
      prisma.gameLease.findFirst(),
      prisma.operationLogEntry.findFirst(),
      prisma.retentionHold.findFirst(),
      prisma.runtimeRecord.findFirst(),
    ]);
    expect(found).toEqual([null, null, null, null, null, null]);
  });

  test('the sweep reads its pages, oldest first, from one index', async () => {
    await database.pool.query(`
      INSERT INTO runtime_records (game_id, status, stopped_at, last_op_at, created_at)
      SELECT 'g' || n, CASE WHEN n % 10 = 0 THEN 'stopped' ELSE 'running' END,
             CASE WHEN n % 20 = 0 THEN now() - n * interval '1 minute' END, now() - n * interval '1 minute', now()
      FROM generate_series(1, 5000) AS n; ANALYZE runtime_records`);
    const { rows } = await database.pool.query<{ 'QUERY PLAN': string }>(`
      EXPLAIN (COSTS OFF) SELECT game_id FROM runtime_records
      WHERE status = 'stopped' AND (coalesce(stopped_at, last_op_at), game_id) > (now() - interval '1 day', 'g')
      ORDER BY coalesce(stopped_at, last_op_at), game_id LIMIT 100`);
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toMatch(/Index Scan using runtime_records_stopped_since_idx[\s\S]*Index Cond: \(ROW\(/);
    expect(plan).not.toContain('Sort');
  });
});

describe('reading operations', () => {
  test('the newest rows of all games are read from the primary key, however many rows there are', async () => {
    await database.pool.query(`
      INSERT INTO operation_log (game_id, op_kind, op_source, outcome, started_at, finished_at)
      SELECT 'g' || n, 'k', 's', 'success', now(), now() FROM generate_series(1, 5000) AS n; ANALYZE operation_log`);
    const { rows } = await database.pool.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN (COSTS OFF) SELECT * FROM operation_log WHERE id < 4000 ORDER BY id DESC LIMIT 20`,
    );
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toMatch(
      /^Limit\s+->\s+Index Scan Backward using operation_log_pkey.*\s+Index Cond: [^\n]*$/,
    );
  });

  test("the list of operations shows other services' operations as they are", async () => {
    await database.pool.query(`
      INSERT INTO operation_log (game_id, op_kind, op_source, outcome, error_code, started_at, finished_at)
      VALUES ('game-1', 'start_container', 'lobby_stream', 'failure', 'image_missing', now(), now())`);
    expect(await onlyOperation()).toMatchObject({ opKind: 'start_container', errorCode: 'image_missing', jobId: '' });
  });
});
