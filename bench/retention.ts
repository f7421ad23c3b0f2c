/**
 * How long a sweep over many stopped records takes: to plan it (lock, census, every page, every judgement), and to enqueue
 * what is due, beside their floors: the same rows read by one plain SELECT, the same jobs added by BullMQ's own addBulk.
 * As many running and removed records lie among the stopped ones; nine in ten of the stopped ones are due.
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
/** Of those that are due; enough to tell the rate. */
const ENQUEUED = 10_000;
const records = Number(values.records);
const rounds = Number(values.rounds);
const BATCH = 500;

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

async function main(stores: Stores): Promise<void> {
  const { context, database, backend, queues } = stores;
  await fill(stores);
  const observer = { enqueued: () => undefined, skipped: () => undefined, ended: () => undefined };
  const parts = {
    records: database.retentionRecords,
    lock: database.sweepLock,
    deadLetters: queues.deadLetters,
    observer,
  };
  const settings = { retentionMs: 30 * 86_400_000, maxShare: 1 };
  const planned: string[] = [];
  const planning = createRetention(
    {
      ...parts,
      requests: {
        request: async (ids) => {
          planned.push(...ids);
          return { enqueued: ids.length, coalesced: 0 };
        },
      },
    },
    settings,
  );
  const { signal } = context;
  const floors: number[] = [];
  const plans: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    floors.push(
      await timed(() =>
        database.pool.query(
          `SELECT game_id, status, current_container_id, stopped_at FROM runtime_records WHERE status = 'stopped'
           AND stopped_at <= now() - interval '30 days' ORDER BY coalesce(stopped_at, last_op_at), game_id`,
        ),
      ),
    );
    planned.length = 0;
    plans.push(await timed(() => planning.sweep({ signal })));
  }
  console.log(
    `planning a sweep over ${records} stopped records, ${planned.length} of them due: median ${shownSeconds(median(plans))}; ` +
      `the same rows by one SELECT ${shownSeconds(median(floors))}; ratio ${(median(plans) / median(floors)).toFixed(1)}`,
  );

  const queue = await backend.queue({ onError: () => undefined });
  const chosen = planned.slice(0, ENQUEUED);
  const inBatches = async (add: (ids: readonly string[]) => Promise<unknown>): Promise<void> => {
    for (let start = 0; start < chosen.length; start += BATCH) await add(chosen.slice(start, start + BATCH));
  };
  const addSeconds = await timed(() =>
    inBatches((ids) =>
      queue.addBulk(
        ids.map((gameId) => ({
          name: CLEANUP_JOB,
          data: { gameId, opSource: 'auto_ttl' },
          opts: { deduplication: { id: deduplicationId(gameId) } },
        })),
      ),
    ),
  );
  await queue.obliterate({ force: true });
  await queue.close();
  const { request } = requestsTo(queues.producer);
  const enqueueSeconds = await timed(() => inBatches(request));
  const againSeconds = await timed(() => inBatches(request));
  console.log(
    `enqueueing ${chosen.length} of them on the ${backend.kind} queue: ${shownSeconds(enqueueSeconds)}, once more while they ` +
      `wait ${shownSeconds(againSeconds)}; by BullMQ's addBulk ${shownSeconds(addSeconds)}; ` +
      `ratio ${(enqueueSeconds / addSeconds).toFixed(1)}`,
  );
}

await onStores(main);
