import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRetentionRecords } from '../../../src/adapters/prisma/retention-records.js';
import type { RetentionPosition, RetentionRecord, RetentionRecords } from '../../../src/retention/ports.js';
import { openRecordsDatabase, type RecordsDatabase } from '../../support/postgres/records-database.js';
import { aRecord, CONTAINER_ID } from '../../support/records.js';
import { InvalidPageError } from '../../../src/domain/errors.js';

const DAY_MS = 86_400_000;
const AS_OF = new Date('2026-06-15T12:00:00.000Z');

let database: RecordsDatabase;
let records: RetentionRecords;

beforeAll(async () => {
  database = await openRecordsDatabase();
  records = createRetentionRecords(database);
});
afterAll(() => database.close());
beforeEach(() => database.clear());

/** Stopped records by their game id and the SQL literal of their stop. */
const putStopped = (...rows: readonly (readonly [gameId: string, stoppedAt: string | null])[]) =>
  database.pool.query(
    `INSERT INTO runtime_records (game_id, status, current_container_id, stopped_at, last_op_at, created_at)
     SELECT game, 'stopped', $3, at, '2026-06-15T11:00:00Z', now()
     FROM unnest($1::text[], $2::timestamptz[]) AS t (game, at)`,
    [rows.map(([gameId]) => gameId), rows.map(([, stoppedAt]) => stoppedAt), CONTAINER_ID],
  );
const putHold = (gameId: string, until: string | null) =>
  database.pool.query(`INSERT INTO retention_holds VALUES ($1, 'why', 'who', $2)`, [gameId, until]);

const walk = async (limit: number, stoppedForMs: number | null = null): Promise<RetentionRecord[]> => {
  const found: RetentionRecord[] = [];
  let after: RetentionPosition | null = null;
  for (;;) {
    const page: readonly RetentionRecord[] = await records.stopped({ asOf: AS_OF, stoppedForMs, after, limit });
    found.push(...page);
    const last = page.at(-1);
    if (last === undefined) return found;
    after = last.position;
  }
};
const namesOf = (found: readonly RetentionRecord[]): string[] => found.map(({ gameId }) => gameId);

describe('stopped records', () => {
  test('stopped records come with the time since their stop and their hold', async () => {
    await putStopped(['game-1', '2026-06-14T12:00:00.001Z']);
    expect(await walk(10)).toEqual([
      {
        gameId: 'game-1',
        status: 'stopped',
        containerId: CONTAINER_ID,
        since: new Date('2026-06-14T12:00:00.001Z'),
        stoppedForMs: DAY_MS - 1,
        hold: null,
        position: { gameId: 'game-1', since: '2026-06-14T12:00:00.001+00:00' },
      },
    ]);
  });

  test('stopped records without a known stop count from their last operation', async () => {
    await putStopped(['game-1', null]);
    expect(await walk(10)).toMatchObject([{ since: new Date('2026-06-15T11:00:00Z'), stoppedForMs: DAY_MS / 24 }]);
  });

  const order: readonly (readonly [string, string | null])[] = [
    ['since ever', '-infinity'],
    ['before Christ', '0044-03-15 12:00:00.5+00 BC'],
    ['long ago', '0001-01-01T00:00:00Z'],
    ['a tie: A', '2026-06-01T00:00:00.123Z'],
    ['a tie: B', '2026-06-01T00:00:00.123Z'],
    ['a tie: é', '2026-06-01T00:00:00.123Z'],
    ['a tie: 🎲', '2026-06-01T00:00:00.123Z'],
    ['a millisecond later', '2026-06-01T00:00:00.124Z'],
    ['no stop known', null],
    ['in the future', '2027-01-01T00:00:00Z'],
    ['the year 12345', '12345-06-07T08:09:10.011Z'],
    ['beyond JavaScript', '294276-12-31T23:59:59.999Z'],
    ['never', 'infinity'],
  ];

  test.each([1, 2, 5, 100])(
    'stopped records are read oldest first, each exactly once, in pages of %i',
    async (limit) => {
      await putStopped(...order.toReversed());
      const found = await walk(limit);
      expect(namesOf(found)).toEqual(order.map(([gameId]) => gameId));
      expect(found.map(({ since }) => since?.getTime() ?? null)).toEqual([
        null,
        Date.UTC(-43, 2, 15, 12, 0, 0, 500),
        Date.parse('0001-01-01T00:00:00Z'),
        ...Array<number>(4).fill(Date.parse('2026-06-01T00:00:00.123Z')),
        Date.parse('2026-06-01T00:00:00.124Z'),
        Date.parse('2026-06-15T11:00:00Z'),
        Date.parse('2027-01-01T00:00:00Z'),
        Date.parse('+012345-06-07T08:09:10.011Z'),
        null,
        null,
      ]);
      expect([found[0]?.stoppedForMs, found.at(-1)?.stoppedForMs]).toEqual([Infinity, -Infinity]);
    },
  );

  test('stopped records can be limited to those of exactly this age or older', async () => {
    await putStopped(
      ['due', '2026-06-14T12:00:00.000Z'],
      ['not due', '2026-06-14T12:00:00.001Z'],
      ['never', 'infinity'],
      ['since ever', '-infinity'],
    );
    expect(namesOf(await walk(10, DAY_MS))).toEqual(['since ever', 'due']);
    expect(namesOf(await walk(10, DAY_MS - 1))).toEqual(['since ever', 'due', 'not due']);
  });

  test('stopped records include no running and no removed record', async () => {
    await database.put(aRecord({ gameId: 'running', status: 'running' }));
    await database.put(aRecord({ gameId: 'removed', status: 'removed' }));
    await database.put(aRecord({ gameId: 'stopped' }));
    expect(namesOf(await walk(10))).toEqual(['stopped']);
  });

  test('stopped records are the same in a session with another style of times', async () => {
    await putStopped(...order);
    const expected = await walk(3);
    await database.pool.query(
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET DateStyle = ''German''', current_database()); END $$`,
    );
    const other = await openSameDatabase(database.url);
    try {
      const [first] = await other.records.stopped({ asOf: AS_OF, stoppedForMs: null, after: null, limit: 1 });
      const rest = await other.records.stopped({
        asOf: AS_OF,
        stoppedForMs: null,
        after: first?.position ?? null,
        limit: 100,
      });
      expect([first, ...rest]).toEqual(expected);
    } finally {
      await other.close();
      await database.pool.query(
        `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET DateStyle', current_database()); END $$`,
      );
    }
  });

  test.each([
    ['text instead of a time', 'yesterday evening', 'game-1'],
    ['an impossible month', '2026-13-01T00:00:00+00:00', 'game-1'],
    ['an impossible year', '999999-01-01T00:00:00+00:00', 'game-1'],
    ['an injection', `2026-01-01'; DROP TABLE runtime_records; --`, 'game-1'],
    ['NUL in the time', '\0', 'game-1'],
    ['NUL in the game id', 'infinity', 'a\0'],
    ['half a surrogate in the game id', 'infinity', 'a\uD800'],
  ])('stopped records refuse a position with %s', async (_what, since, gameId) => {
    await expect(
      records.stopped({ asOf: AS_OF, stoppedForMs: null, after: { since, gameId }, limit: 1 }),
    ).rejects.toBeInstanceOf(InvalidPageError);
  });
});

const openSameDatabase = async (url: string) => {
  const { createPool } = await import('../../../src/adapters/postgres/pool.js');
  const { createPrisma } = await import('../../../src/adapters/prisma/client.js');
  const pool = createPool({ connectionString: url, applicationName: 'another', max: 1 }, () => undefined);
  const prisma = createPrisma(pool);
  return {
    records: createRetentionRecords({ prisma }),
    close: async () => {
      await prisma.$disconnect();
      await pool.end();
    },
  };
};

describe('a hold', () => {
  test.each([
    ['without an end holds', null, { heldUntil: null }],
    ['that ends in a millisecond holds', '2026-06-15T12:00:00.001Z', { heldUntil: new Date(AS_OF.getTime() + 1) }],
    ['that ends exactly now does not hold', '2026-06-15T12:00:00.000Z', null],
    ['that ended at minus infinity does not hold', '-infinity', null],
    ['that ends at infinity holds for ever', 'infinity', { heldUntil: null }],
    ['that ends beyond the range of JavaScript holds for ever', '294276-01-01T00:00:00Z', { heldUntil: null }],
  ])('a hold %s', async (_what, until, hold) => {
    await putStopped(['game-1', '2026-01-01T00:00:00Z'], ['game-2', '2026-01-02T00:00:00Z']);
    await putHold('game-1', until);
    const [first, second] = await walk(1);
    expect(first?.hold).toEqual(hold === null ? null : { gameId: 'game-1', reason: 'why', heldBy: 'who', ...hold });
    expect(second?.hold).toBeNull();
  });
});

describe('finding records', () => {
  test("records are found with any status, and judged by the database's clock", async () => {
    await database.put(aRecord({ gameId: 'runs', status: 'running' }));
    await database.pool.query(`INSERT INTO runtime_records (game_id, status, stopped_at, last_op_at, created_at)
      VALUES ('stopped', 'stopped', now() - interval '1 hour', now(), now())`);
    await putHold('stopped', null);
    const { asOf, records: found } = await records.find(['stopped', 'runs', 'unknown', 'a\0', 'a\uD800']);
    expect(new Map(found.map(({ gameId, status }) => [gameId, status]))).toEqual(
      new Map([
        ['runs', 'running'],
        ['stopped', 'stopped'],
      ]),
    );
    const stopped = found.find(({ gameId }) => gameId === 'stopped');
    expect(stopped).toMatchObject({ hold: { reason: 'why' } });
    expect(asOf.getTime() - (stopped?.since?.getTime() ?? 0)).toBe(stopped?.stoppedForMs);
    expect(stopped?.stoppedForMs).toBeGreaterThanOrEqual(3_600_000 - 1);
    expect(stopped?.stoppedForMs).toBeLessThan(3_600_000 + 60_000);
  });

  test('a search for no record gives only the time', async () => {
    expect(await records.find([])).toEqual({ asOf: expect.any(Date), records: [] });
  });
});
