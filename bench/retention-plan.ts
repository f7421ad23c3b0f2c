/**
 * How long planning a sweep takes: lock, census, pages and judgement of every stopped record, beside the floor, which is
 * the same rows read by one plain SELECT through pg. Both sides take turns in one run; nothing is enqueued.
 *
 *   npm run bench -- retention-plan                     # 100,000 stopped records beside 100,000 others, 7 rounds
 *   npm run bench -- retention-plan --records 20000 --rounds 5
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createSweepLock } from '../src/adapters/postgres/sweep-lock.js';
import { createPrisma } from '../src/adapters/prisma/client.js';
import { createRetentionRecords } from '../src/adapters/prisma/retention-records.js';
import { createClosing } from '../src/app/closing.js';
import type { Context } from '../src/app/context.js';
import { type Database, openDatabase } from '../src/app/database.js';
import { systemClock } from '../src/clock.js';
import { readConfig } from '../src/config.js';
import { planSweep } from '../src/retention/sweep.js';
import { createLogger } from '../src/telemetry/logger.js';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '7' },
  },
});
const records = Number(values.records);
const rounds = Number(values.rounds);
const RETENTION_MS = 86_400_000;

/** Stopped ones, all of them due; as many that are not stopped; one hold for every hundred. */
async function fill({ pool }: Database): Promise<void> {
  await pool.query(
    `INSERT INTO runtime_records (game_id, status, current_container_id, stopped_at, last_op_at, created_at)
     SELECT 'game-' || n, (ARRAY['stopped', 'running', 'stopped', 'removed'])[1 + n % 4],
            encode(sha256(n::text::bytea), 'hex'),
            now() - interval '2 days' - n * interval '1 second', now() - interval '2 days', now()
     FROM generate_series(1, $1::integer) AS n`,
    [2 * records],
  );
  await pool.query(
    `INSERT INTO retention_holds SELECT 'game-' || n, 'why', 'who', NULL FROM generate_series(4, $1::integer, 200) AS n`,
    [2 * records],
  );
  await pool.query('VACUUM ANALYZE runtime_records, retention_holds');
}

/** The same columns of the same rows, in the same order. */
async function floor({ pool }: Database): Promise<number> {
  const { rowCount } = await pool.query(
    `SELECT game_id, status, current_container_id, coalesce(stopped_at, last_op_at) AS since, reason, held_by, held_until
     FROM runtime_records LEFT JOIN retention_holds USING (game_id)
     WHERE status = 'stopped' AND coalesce(stopped_at, last_op_at) <= now() - interval '1 day'
     ORDER BY coalesce(stopped_at, last_op_at), game_id`,
  );
  return rowCount ?? 0;
}

async function elapsedMs(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

async function main(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'runtime-cleanup-bench-'));
  await chmod(dataDir, 0o755);
  const log = createLogger({ level: 'warn', name: 'bench' });
  const closing = createClosing(log);
  closing.add('data', () => rm(dataDir, { recursive: true, force: true }));
  try {
    const config = readConfig({ RTMANAGER_DATA_DIR: join(dataDir, 'data') });
    const { signal } = new AbortController();
    const context: Context = { config, log, clock: systemClock, patienceMs: 20_000, signal };
    const database = await openDatabase(context);
    closing.add('database', database.close);
    const prisma = createPrisma(database.pool);
    closing.add('prisma client', () => prisma.$disconnect());
    const lock = createSweepLock(database);
    const deps = {
      records: createRetentionRecords({ prisma }),
      deadLetters: { among: async () => new Map<string, never>() },
    };
    await fill(database);

    console.log(`npm run bench -- retention-plan --records ${records} --rounds ${rounds}`);
    const floors: number[] = [];
    const ours: number[] = [];
    // The first round warms both sides up.
    for (let round = 0; round <= rounds; round += 1) {
      let found = 0;
      const floorMs = await elapsedMs(async () => {
        found = await floor(database);
      });
      const oursMs = await elapsedMs(async () => {
        const plan = await lock.exclusively(() => planSweep(deps, RETENTION_MS, signal));
        if (plan === 'busy') throw new Error('somebody else sweeps this database');
        const planned = plan.gameIds.length + plan.kept.held;
        if (planned !== records || found !== records) throw new Error(`${planned} and ${found} of ${records} records`);
      });
      if (round === 0) continue;
      floors.push(floorMs);
      ours.push(oursMs);
      console.log(`round ${round}: floor ${floorMs.toFixed(0)} ms, ours ${oursMs.toFixed(0)} ms`);
    }
    const ratios = ours.map((ms, i) => ms / (floors[i] ?? ms));
    console.log(
      `median: floor ${median(floors).toFixed(0)} ms, ours ${median(ours).toFixed(0)} ms, ratio ${median(ratios).toFixed(2)}`,
    );
  } finally {
    await closing.closeAll();
  }
}

await main();
