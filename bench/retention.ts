/**
 * The duration of a sweep over many stopped records: to plan it (lock, census, every page, every judgement), compared with
 * one plain SELECT of the same rows; and to enqueue what is due, compared with BullMQ's own addBulk of the same jobs.
 * Half of all records are running or removed; nine in ten of the stopped ones are due.
 *
 *   npm run bench -- retention                       # 100,000 stopped records, 5 rounds, PostgreSQL queue
 *   npm run bench -- retention --redis               # the queue on Redis
 *   npm run bench -- retention --records 10000 --rounds 3
 */
import { parseArgs } from 'node:util';
import { deduplicationId } from '../src/adapters/bullmq/producer/deduplication.js';
import { CLEANUP_JOB } from '../src/adapters/bullmq/names.js';
import { requestsTo } from '../src/app/compose-core.js';
import { createRetention } from '../src/retention/retention-service.js';
import { median, onStores, shownSeconds, type Stores, timed } from './stores.js';

const { values } = parseArgs({
  options: { records: { type: 'string', default: '100000' }, rounds: { type: 'string', default: '5' } },
});
/** How many of the due games are enqueued; enough to measure the rate. */
const ENQUEUED = 10_000;
const records = Number(values.records);
const rounds = Number(values.rounds);
const BATCH = 500;

const SELECT_DUE = `
SELECT game_id, status, current_container_id, stopped_at FROM runtime_records
WHERE status = 'stopped' AND stopped_at <= now() - interval '30 days'
ORDER BY coalesce(stopped_at, last_op_at), game_id`;

async function fill({ database }: Stores): Promise<void> {
  await database.pool.query(
    `INSERT INTO runtime_records (game_id, status, current_container_id, stopped_at, last_op_at, created_at)
     SELECT 'game-' || n, (ARRAY['stopped', 'stopped', 'running', 'removed'])[1 + n % 4],
            repeat(md5(n::text), 2), now() - CASE WHEN n % 10 = 0 THEN 1 ELSE 40 END * interval '1 day', now(), now()
     FROM generate_series(1, $1::integer) AS n`,
    [2 * records],
  );
  await database.pool.query('ANALYZE runtime_records');
}

/** A retention service that only collects the games it would enqueue. */
function createPlanner({ database, queues }: Stores) {
  const planned: string[] = [];
  const retention = createRetention(
    {
      records: database.retentionRecords,
      lock: database.sweepLock,
      deadLetters: queues.deadLetters,
      observer: { enqueued: () => undefined, skipped: () => undefined, ended: () => undefined },
      requests: {
        request: async (ids) => {
          planned.push(...ids);
          return { enqueued: ids.length, coalesced: 0 };
        },
      },
    },
    { retentionMs: 30 * 86_400_000, maxShare: 1 },
  );
  return { retention, planned };
}

/** Resolves to the games that are due. */
async function measurePlanning(stores: Stores): Promise<readonly string[]> {
  const { retention, planned } = createPlanner(stores);
  const { pool } = stores.database;
  const { signal } = stores.context;
  const selects: number[] = [];
  const plans: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    selects.push(await timed(() => pool.query(SELECT_DUE)));
    planned.length = 0;
    plans.push(await timed(() => retention.sweep({ signal })));
  }
  console.log(
    `planning a sweep over ${records} stopped records, ${planned.length} of them due: median ${shownSeconds(median(plans))}; ` +
      `the same rows by one SELECT ${shownSeconds(median(selects))}; ratio ${(median(plans) / median(selects)).toFixed(1)}`,
  );
  return planned;
}

async function measureEnqueueing({ backend, queues }: Stores, gameIds: readonly string[]): Promise<void> {
  const queue = await backend.queue({ onError: () => undefined });
  const inBatches = async (add: (ids: readonly string[]) => Promise<unknown>): Promise<void> => {
    for (let start = 0; start < gameIds.length; start += BATCH) await add(gameIds.slice(start, start + BATCH));
  };
  const jobOf = (gameId: string) => ({
    name: CLEANUP_JOB,
    data: { gameId, opSource: 'auto_ttl' },
    opts: { deduplication: { id: deduplicationId(gameId) } },
  });
  const addSeconds = await timed(() => inBatches((ids) => queue.addBulk(ids.map(jobOf))));
  await queue.obliterate({ force: true });
  await queue.close();
  const { request } = requestsTo(queues.producer);
  const enqueueSeconds = await timed(() => inBatches(request));
  const againSeconds = await timed(() => inBatches(request));
  console.log(
    `enqueueing ${gameIds.length} of them on the ${backend.kind} queue: ${shownSeconds(enqueueSeconds)}, a second time while ` +
      `they wait ${shownSeconds(againSeconds)}; by BullMQ's addBulk ${shownSeconds(addSeconds)}; ` +
      `ratio ${(enqueueSeconds / addSeconds).toFixed(1)}`,
  );
}

async function main(stores: Stores): Promise<void> {
  await fill(stores);
  const due = await measurePlanning(stores);
  await measureEnqueueing(stores, due.slice(0, ENQUEUED));
}

await onStores(main);
