import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRetentionRecords } from '../../../src/adapters/prisma/retention-records.js';
import { gameIdProblem } from '../../../src/domain/operation.js';
import type { RetentionRecords } from '../../../src/retention/ports.js';
import { openRecordsDatabase, type RecordsDatabase } from '../../support/postgres/records-database.js';

const DAY_MS = 86_400_000;

let database: RecordsDatabase;
let records: RetentionRecords;

beforeAll(async () => {
  database = await openRecordsDatabase();
  records = createRetentionRecords(database);
});
afterAll(() => database.close());
beforeEach(() => database.clear());

const putHold = (gameId: string, until: string | null) =>
  database.pool.query(`INSERT INTO retention_holds VALUES ($1, 'why', 'who', $2)`, [gameId, until]);

describe('the census', () => {
  const RETENTION_MS = DAY_MS;
  const ago = (text: string) => `now() - interval '${text}'`;
  const put = (gameId: string, status: string, since: string) =>
    database.pool.query(
      `INSERT INTO runtime_records (game_id, status, stopped_at, last_op_at, created_at)
       VALUES ($1, $2, ${since}, now(), now())`,
      [gameId, status],
    );

  test('the census counts by status, and what is due apart from what is kept', async () => {
    await put('runs', 'running', ago('9 days'));
    await put('removed', 'removed', ago('9 days'));
    await put('due', 'stopped', ago('2 days'));
    await put('due too', 'stopped', ago('1 day'));
    await put('not due', 'stopped', ago('23 hours'));
    await put('never', 'stopped', `'infinity'`);
    await put('held', 'stopped', ago('3 days'));
    await putHold('held', null);
    await put('was held', 'stopped', ago('1 day'));
    await putHold('was held', '2026-01-01T00:00:00Z');
    await put('dead', 'stopped', ago('4 days'));
    await put('held and dead', 'stopped', ago('5 days'));
    await putHold('held and dead', 'infinity');
    await put('no id ', 'stopped', ago('6 days'));
    const except = ['dead', 'held and dead', 'dead', 'unknown', 'a\0'];
    const { asOf, lagMs, ...counts } = await records.census(RETENTION_MS, except);
    expect(counts).toEqual({ running: 1, stopped: 9, removed: 1, due: 3, held: 2, excepted: 1 });
    expect(lagMs).toBeGreaterThanOrEqual(DAY_MS - 1);
    expect(lagMs).toBeLessThan(DAY_MS + 60_000);
    const { rows } = await database.pool.query<{ near: boolean }>(
      `SELECT $1::timestamptz BETWEEN now() - interval '1 minute' AND now() AS near`,
      [asOf.toISOString()],
    );
    expect(rows).toEqual([{ near: true }]);
  });

  test('the census of an empty table is 0 everywhere', async () => {
    expect(await records.census(RETENTION_MS, [])).toEqual({
      asOf: expect.any(Date),
      running: 0,
      stopped: 0,
      removed: 0,
      due: 0,
      held: 0,
      excepted: 0,
      lagMs: 0,
    });
  });

  test('the census has a finite lag for a record stopped at -infinity', async () => {
    await put('since ever', 'stopped', `'-infinity'`);
    expect(await records.census(RETENTION_MS, [])).toMatchObject({ due: 1, lagMs: Number.MAX_SAFE_INTEGER });
  });

  test('the census accepts exactly the game ids that the plan accepts', async () => {
    // Neither spaces nor control characters stand beyond these.
    const blocks = [
      [0x1, 0x3100],
      [0xfe00, 0x1_0000],
    ] as const;
    const characters = blocks.flatMap(([from, to]) =>
      Array.from({ length: to - from }, (_, n) => String.fromCodePoint(from + n)),
    );
    const inside = characters.map((text) => `a${text}b`);
    const edges = characters.flatMap((text) => [`${text}a`, `z${text}`]);
    const lengths = ['', 'x'.repeat(256), 'x'.repeat(257), '🎲'.repeat(256), '🎲'.repeat(257)];
    const ids = [...new Set([...inside, ...edges, ...lengths])];
    await database.pool.query(
      `INSERT INTO runtime_records (game_id, status, last_op_at, created_at)
       SELECT id, 'stopped', now(), now() FROM unnest($1::text[]) AS t (id)`,
      [ids],
    );
    const valid = ids.filter((id) => id === id.trim() && gameIdProblem(id) === undefined);
    expect(valid.length).toBeGreaterThan(30_000);
    expect(valid.length).toBeLessThan(ids.length);
    const { due } = await records.census(0, []);
    expect(due).toBe(valid.length);
    // Not only as many: the same.
    expect(await records.census(0, valid)).toMatchObject({ due: 0, excepted: valid.length });
  });
});
