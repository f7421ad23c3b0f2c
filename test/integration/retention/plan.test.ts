import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createPool } from '../../../src/adapters/postgres/pool.js';
import { createSweepLock } from '../../../src/adapters/postgres/sweep-lock.js';
import { createPrisma } from '../../../src/adapters/prisma/client.js';
import { createHolds } from '../../../src/adapters/prisma/holds.js';
import { createRetentionRecords } from '../../../src/adapters/prisma/retention-records.js';
import { createRetention } from '../../../src/retention/retention-service.js';
import type { Judgement } from '../../../src/retention/judge-record.js';
import { openRecordsDatabase, type RecordsDatabase } from '../../support/postgres/records-database.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const { signal } = new AbortController();

let database: RecordsDatabase;
beforeAll(async () => {
  database = await openRecordsDatabase();
});
afterAll(() => database.close());
beforeEach(() => database.clear());

describe('the pages of a large plan', () => {
  let pool: pg.Pool;
  let prisma: ReturnType<typeof createPrisma>;
  // One connection, so that the statements it keeps prepared are those that were just run.
  beforeEach(async () => {
    pool = createPool({ connectionString: database.url, applicationName: 'plans', max: 1 }, () => undefined);
    prisma = createPrisma(pool);
    await pool.query(`
      INSERT INTO runtime_records (game_id, status, stopped_at, last_op_at, created_at)
      SELECT 'game-' || n, CASE WHEN n % 4 = 0 THEN 'running' ELSE 'stopped' END,
             CASE WHEN n % 3 > 0 THEN now() - n * interval '1 minute' END, now() - n * interval '1 minute', now()
      FROM generate_series(1, 40000) AS n;
      INSERT INTO retention_holds SELECT 'game-' || n, 'why', 'who', NULL FROM generate_series(1, 40000, 7) AS n`);
    await pool.query('VACUUM ANALYZE runtime_records, retention_holds');
  });
  afterEach(async () => {
    await prisma.$disconnect();
    await pool.end();
  });

  /** How the database runs the newest statement that pages through stopped records, with these values in it. */
  const explain = async (values: readonly unknown[]): Promise<string> => {
    const { rows } = await pool.query<{ name: string }>(
      `SELECT name FROM pg_prepared_statements WHERE statement LIKE '%LIMIT%::bigint' ORDER BY prepare_time DESC LIMIT 1`,
    );
    const literals = values.map((value) => `'${String(value)}'`).join(', ');
    const plan = await pool.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) EXECUTE "${rows[0]?.name}"(${literals})`,
    );
    return plan.rows.map((row) => row['QUERY PLAN']).join('\n');
  };

  test.each([
    ['force_custom_plan', 100],
    ['force_generic_plan', 100],
    // As many as a sweep asks for, where another plan becomes tempting.
    ['force_custom_plan', 2_000],
  ])('the pages of a large plan come from the index alone, in its order (%s, %i records)', async (mode, limit) => {
    await pool.query(`SET plan_cache_mode = ${mode}`);
    const records = createRetentionRecords({ prisma });
    const asOf = await records.now();
    const query = { asOf, stoppedForMs: DAY_MS, limit };
    const first = await records.stopped({ ...query, after: null });
    const moment = asOf.toISOString();
    const ofFirst = await explain([moment, moment, DAY_MS, limit]);
    const position = first[50]?.position;
    if (position === undefined) throw new Error('the page is short');
    const next = await records.stopped({ ...query, after: position });
    const ofNext = await explain([moment, moment, DAY_MS, position.since, position.gameId, limit]);
    await records.stopped({ ...query, stoppedForMs: null, after: position });
    const ofAll = await explain([moment, position.since, position.gameId, limit]);

    expect(first.map(({ gameId }) => gameId).slice(51)).toEqual(next.map(({ gameId }) => gameId).slice(0, limit - 51));
    for (const plan of [ofFirst, ofNext, ofAll]) {
      expect(plan).toMatch(new RegExp(`^Limit \\(actual rows=${limit}\\b`));
      expect(plan).toMatch(/Index Scan using runtime_records_stopped_since_idx on runtime_records r \(/);
      expect(plan).toMatch(/Index Scan using retention_holds_pkey/);
      expect(plan).not.toMatch(/Sort|Seq Scan|Hash|Bitmap/);
      // Of a record nothing is looked at that the index had not decided; only a hold's end is.
      expect(plan.split('runtime_records r')[1]?.split('->')[0]).not.toContain('Filter');
    }
    expect(ofNext).toMatch(/Index Cond: \(\(COALESCE\(.*\) <= .*\) AND \(ROW\(COALESCE\(.*\), r?\.?game_id\) > ROW\(/);
  });
});

describe('with the clock of this process a day off', () => {
  afterEach(() => vi.useRealTimers());

  /** Changes only `Date`, not timers and monotonic time. */
  const shiftDate = (ms: number): void => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
  };
  const RETENTION_MS = DAY_MS;

  const everything = async () => {
    const live: string[] = [];
    const retention = createRetention(
      {
        records: createRetentionRecords(database),
        lock: createSweepLock(database),
        deadLetters: { among: async () => new Map([['game-30', { jobId: '1', code: 'conflict' }]]) },
        requests: {
          request: async (gameIds) => {
            live.push(...gameIds);
            return { enqueued: gameIds.length, coalesced: 0 };
          },
        },
        observer: { enqueued: () => undefined, skipped: () => undefined, ended: () => undefined },
      },
      { retentionMs: RETENTION_MS, maxShare: 1 },
    );
    const items: Judgement[] = [];
    let after: string | undefined;
    do {
      const page = await retention.plan({ includeNotDue: true, after, limit: 7 });
      items.push(...page.items);
      after = page.next ?? undefined;
    } while (after !== undefined);
    const judged = await retention.judge(items.map(({ gameId }) => gameId));
    const { asOf, lagMs, ...summary } = await retention.summary();
    const report = await retention.sweep({ signal });
    return { facts: { items, judged, summary, live }, moments: { asOf, lagMs, report } };
  };
  const isNear = (a: number, b: number): boolean => Math.abs(a - b) < 60_000;

  test.each([DAY_MS, -DAY_MS, 400 * DAY_MS])(
    'plan and sweep are the same when the clock of this process is off by %i ms',
    async (shiftMs) => {
      // Due at the 24th hour; seen from a day later all of them would be, and from a day earlier none of the first 48.
      await database.pool.query(`
      INSERT INTO runtime_records (game_id, status, stopped_at, last_op_at, created_at)
      SELECT 'game-' || n, 'stopped', now() - n * interval '1 hour' - interval '30 minutes', now(), now()
      FROM generate_series(1, 40) AS n;
      INSERT INTO retention_holds VALUES
        ('game-25', 'why', 'who', now() - interval '12 hours'), ('game-26', 'why', 'who', now() + interval '12 hours')`);
      const expected = await everything();
      const due = Array.from({ length: 17 }, (_, n) => `game-${40 - n}`);
      expect(expected.facts.live).toEqual(due.filter((gameId) => gameId !== 'game-26' && gameId !== 'game-30'));
      expect(expected.facts.summary).toMatchObject({ due: 15, held: 1, deadLetters: 1, refusal: null });

      shiftDate(shiftMs);
      const { facts, moments } = await everything();
      expect(facts).toEqual(expected.facts);
      expect(isNear(moments.asOf.getTime(), expected.moments.asOf.getTime())).toBe(true);
      expect(isNear(moments.lagMs, expected.moments.lagMs)).toBe(true);
      const { report } = moments;
      if (report.status === 'busy') throw new Error('no other sweep runs here');
      expect(isNear(Date.parse(report.asOf), expected.moments.asOf.getTime())).toBe(true);
      expect(isNear(Date.parse(report.finishedAt), expected.moments.asOf.getTime())).toBe(true);
    },
  );

  test.each([DAY_MS, -DAY_MS])(
    'a hold has the wanted length when the clock of this process is off by %i ms',
    async (shiftMs) => {
      const inAnHour = () =>
        createHolds(database).put({ gameId: 'game-1', reason: 'why', heldBy: 'who', end: { forMs: HOUR_MS } });
      const { hold: expected } = await inAnHour();
      shiftDate(shiftMs);
      const { hold } = await inAnHour();
      expect(isNear(hold.heldUntil?.getTime() ?? 0, expected.heldUntil?.getTime() ?? 0)).toBe(true);
    },
  );
});
