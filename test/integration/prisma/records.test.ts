import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRuntimeRecords } from '../../../src/adapters/prisma/runtime-records.js';
import type { RuntimeRecords, TakenRecord } from '../../../src/cleanup/ports.js';
import { openRecordsDatabase, type RecordsDatabase } from '../../support/postgres/records-database.js';
import { eventually } from '../../support/eventually.js';
import { anEntry, aRecord, OTHER_CONTAINER_ID } from '../../support/records.js';

let database: RecordsDatabase;
let records: RuntimeRecords;

beforeAll(async () => {
  database = await openRecordsDatabase();
  records = createRuntimeRecords(database);
});
afterAll(() => database.close());
beforeEach(() => database.clear());

const take = async (gameId = 'game-1'): Promise<TakenRecord> => {
  const taken = await records.take(gameId);
  if (taken === undefined) throw new Error('there is no record to take');
  return taken;
};

const scalar = async (sql: string): Promise<unknown> => {
  const { rows } = await database.pool.query<unknown[]>({ text: sql, rowMode: 'array' });
  return rows[0]?.[0];
};

/** Runs `change` in a transaction of its own that holds its locks until `work` waits for them. */
const overtake = async <T>(change: string, work: () => Promise<T>): Promise<T> => {
  const other: pg.PoolClient = await database.pool.connect();
  try {
    await other.query('BEGIN');
    await other.query(change);
    const working = work();
    await eventually(async () => {
      expect(
        await scalar(`SELECT count(*)::int FROM pg_locks JOIN pg_stat_activity USING (pid)
                      WHERE NOT granted AND datname = current_database()`),
      ).toBe(1);
    });
    await other.query('COMMIT');
    return await working;
  } finally {
    other.release();
  }
};

describe('taking a record that another service changes at that moment', () => {
  const overtakenBy = (change: string): Promise<TakenRecord | undefined> =>
    overtake(change, () => records.take('game-1'));

  test('taking a record that was started meanwhile shows the start and leaves the fence alone', async () => {
    await database.put(aRecord({ leaseEpoch: 7n }));
    const taken = await overtakenBy(`UPDATE runtime_records SET status = 'running'`);
    expect(taken?.record).toMatchObject({ status: 'running', leaseEpoch: 7n });
    expect(await scalar('SELECT lease_epoch FROM runtime_records')).toBe('7');
  });

  test('taking a record that was stopped meanwhile shows the stop and bumps the fence', async () => {
    await database.put(aRecord({ status: 'running', leaseEpoch: 7n }));
    const taken = await overtakenBy(
      `UPDATE runtime_records SET status = 'stopped', current_container_id = '${OTHER_CONTAINER_ID}'`,
    );
    expect(taken?.record).toMatchObject({
      status: 'stopped',
      currentContainerId: OTHER_CONTAINER_ID,
      leaseEpoch: 8n,
    });
    expect(await scalar('SELECT lease_epoch FROM runtime_records')).toBe('8');
  });

  test('taking a record that another holder took meanwhile bumps the fence again', async () => {
    await database.put(aRecord({ leaseEpoch: 7n }));
    const taken = await overtakenBy('UPDATE runtime_records SET lease_epoch = lease_epoch + 1');
    expect(taken?.record.leaseEpoch).toBe(9n);
  });

  test('taking a record counts the time from a stop that happened meanwhile', async () => {
    await database.put(aRecord());
    const taken = await overtakenBy('UPDATE runtime_records SET stopped_at = now()');
    expect(taken?.stoppedForMs).toBeLessThan(10_000);
  });

  test('taking a record that was deleted meanwhile gives nothing', async () => {
    await database.put(aRecord());
    expect(await overtakenBy('DELETE FROM runtime_records')).toBeUndefined();
  });

  test('taking a record finds the record that replaced a deleted one', async () => {
    await database.put(aRecord());
    const taken = await overtakenBy(`
      DELETE FROM runtime_records;
      INSERT INTO runtime_records (game_id, status, last_op_at, created_at) VALUES ('game-1', 'running', now(), now())`);
    expect(taken?.record).toMatchObject({ status: 'running', currentContainerId: null });
  });

  test('taking one record gives each of twenty holders a fence of its own', async () => {
    await database.put(aRecord({ leaseEpoch: 0n }));
    const taken = await Promise.all(Array.from({ length: 20 }, () => take()));
    const fences = taken.map(({ record }) => Number(record.leaseEpoch)).sort((a, b) => a - b);
    expect(fences).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });
});

describe('marking a record that another service changes at that moment', () => {
  const overtakenBy = async (change: string) => {
    await database.put(aRecord());
    const { record } = await take();
    return overtake(change, () => records.markRemoved(record, anEntry()));
  };
  const logLength = () => scalar('SELECT count(*)::int FROM operation_log');

  test('marking a record that was started meanwhile answers with the started record', async () => {
    const answer = await overtakenBy(`UPDATE runtime_records SET status = 'running', started_at = now()`);
    expect(answer).toMatchObject({ status: 'changed', record: { status: 'running' } });
    expect(await scalar('SELECT status FROM runtime_records')).toBe('running');
    expect(await logLength()).toBe(0);
  });

  test('marking a record is refused when another holder took it meanwhile', async () => {
    const answer = await overtakenBy('UPDATE runtime_records SET lease_epoch = lease_epoch + 1');
    expect(answer).toMatchObject({ status: 'changed', record: { status: 'stopped', leaseEpoch: 9n } });
    expect(await scalar('SELECT status FROM runtime_records')).toBe('stopped');
  });

  test('marking a record finds that it was removed meanwhile', async () => {
    const answer = await overtakenBy(
      `UPDATE runtime_records SET status = 'removed', current_container_id = NULL, removed_at = now()`,
    );
    expect(answer).toMatchObject({
      status: 'already_removed',
      record: { status: 'removed', currentContainerId: null },
    });
    expect(await logLength()).toBe(0);
  });

  test('marking a record succeeds when another service changed a column of its own meanwhile', async () => {
    const answer = await overtakenBy(`UPDATE runtime_records SET state_path = '/moved'`);
    expect(answer).toMatchObject({ status: 'marked', record: { status: 'removed', statePath: '/moved' } });
    expect(await logLength()).toBe(1);
  });

  test('marking a record finds that it was deleted meanwhile', async () => {
    expect(await overtakenBy('DELETE FROM runtime_records')).toEqual({ status: 'vanished' });
    expect(await logLength()).toBe(0);
  });

  test('marking a record finds the record that replaced a deleted one', async () => {
    const answer = await overtakenBy(`
      DELETE FROM runtime_records;
      INSERT INTO runtime_records (game_id, status, last_op_at, created_at) VALUES ('game-1', 'running', now(), now())`);
    expect(answer).toMatchObject({ status: 'changed', record: { status: 'running' } });
  });

  test('marking one record succeeds for one of twenty holders, and logs once', async () => {
    await database.put(aRecord());
    const { record } = await take();
    const answers = await Promise.all(Array.from({ length: 20 }, () => records.markRemoved(record, anEntry())));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 'marked')).toHaveLength(1);
    expect(statuses.filter((status) => status === 'already_removed')).toHaveLength(19);
    expect(await logLength()).toBe(1);
  });
});

describe('the state change and its row', () => {
  test('a record stays stopped when the row of its removal cannot be written', async () => {
    await database.put(aRecord());
    const { record } = await take();
    // The outcome's CHECK refuses this word.
    const entry = { ...anEntry(), outcome: 'perhaps' as 'success' };
    await expect(records.markRemoved(record, entry)).rejects.toThrow(/operation_log_outcome_check/);
    expect(await scalar('SELECT status FROM runtime_records')).toBe('stopped');
  });

  test('a removal leaves the columns of other services alone, also unknown ones', async () => {
    await database.pool.query(`ALTER TABLE runtime_records ADD COLUMN of_another_service text DEFAULT 'theirs'`);
    try {
      await database.put(aRecord());
      const before = await database.pool.query<Record<string, unknown>>('SELECT * FROM runtime_records');
      await records.markRemoved((await take()).record, anEntry());
      const after = await database.pool.query<Record<string, unknown>>('SELECT * FROM runtime_records');
      expect(after.rows).toEqual([
        {
          ...before.rows[0],
          status: 'removed',
          current_container_id: null,
          removed_at: expect.any(Date),
          last_op_at: expect.any(Date),
          lease_epoch: '8',
        },
      ]);
    } finally {
      await database.pool.query('ALTER TABLE runtime_records DROP COLUMN of_another_service');
    }
  });

  test('a removal changes no record of another game', async () => {
    await database.put(aRecord({ gameId: 'game-2' }));
    await database.put(aRecord());
    await records.markRemoved((await take()).record, anEntry());
    expect(await scalar(`SELECT status || lease_epoch FROM runtime_records WHERE game_id = 'game-2'`)).toBe('stopped7');
  });
});

describe('the facts that only the database can tell', () => {
  const stoppedForMs = async (columns: string): Promise<number> => {
    await database.put(aRecord());
    await database.pool.query(`UPDATE runtime_records SET ${columns}`);
    return (await take()).stoppedForMs;
  };

  test('a taken record tells the time since its stop', async () => {
    const ms = await stoppedForMs(`stopped_at = now() - interval '90 seconds', last_op_at = now()`);
    expect(ms).toBeGreaterThanOrEqual(89_999);
    expect(ms).toBeLessThan(100_000);
  });

  test('a taken record without a known stop tells the time since its last operation', async () => {
    const ms = await stoppedForMs(`stopped_at = NULL, last_op_at = now() - interval '30 days'`);
    expect(ms).toBeGreaterThanOrEqual(30 * 86_400_000 - 1);
    expect(ms).toBeLessThan(30 * 86_400_000 + 10_000);
  });

  test.each([
    ['is held by a hold without an end', 'NULL', true],
    ['is held by a hold that has not ended', `now() + interval '1 minute'`, true],
    ['is not held by a hold that is over', `now() - interval '1 second'`, false],
  ])('a taken record %s', async (_what, until, held) => {
    await database.put(aRecord());
    await database.pool.query(`INSERT INTO retention_holds VALUES ('game-1', 'why', 'who', ${until})`);
    expect((await take()).held).toBe(held);
  });

  test("a taken record is not held by another game's hold", async () => {
    await database.put(aRecord());
    await database.pool.query(`INSERT INTO retention_holds VALUES ('game-2', 'why', 'who', NULL)`);
    expect((await take()).held).toBe(false);
  });
});

describe('game ids', () => {
  test.each(['123', 'a:b', 'a/b', '..', '🎲', "'; DROP TABLE runtime_records; --", '<b>', 'x'.repeat(256), '%_'])(
    'the game id %s finds its own record and no other',
    async (gameId) => {
      await database.put(aRecord({ gameId }));
      await database.put(aRecord({ gameId: 'game-2' }));
      const { record } = await take(gameId);
      expect(record.gameId).toBe(gameId);
      expect(await records.markRemoved(record, anEntry({ gameId }))).toMatchObject({ status: 'marked' });
    },
  );

  test('a game id that cannot be stored finds nothing, also no record of a similar id', async () => {
    await database.put(aRecord({ gameId: 'game-\uFFFD' }));
    expect(await records.take('game-\uD800')).toBeUndefined();
    expect(await records.take('game-\0')).toBeUndefined();
  });
});
