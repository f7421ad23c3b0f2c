/**
 * The duration of counting, listing, replaying and purging many dead letters, compared with BullMQ's own bulk retry, which
 * has no selection by code, no pace and no progress.
 *
 *   npm run bench -- dead-letters                    # 10,000 on the PostgreSQL queue
 *   npm run bench -- dead-letters --redis
 *   npm run bench -- dead-letters --letters 1000
 */
import { parseArgs } from 'node:util';
import { CLEANUP_JOB } from '../src/adapters/bullmq/names.js';
import { createCleanupWorker } from '../src/adapters/bullmq/worker/cleanup-worker.js';
import type { JobQueue } from '../src/adapters/bullmq/store/queue-store.js';
import { queueReport } from '../src/app/connect/queue-store.js';
import { pause } from '../src/async/clock.js';
import { EMPTY_HISTORY } from '../src/jobs/delivery.js';
import { onStores, shownSeconds, type Stores, timed } from './stores.js';

const { values } = parseArgs({ options: { letters: { type: 'string', default: '10000' } } });
const letters = Number(values.letters);
const BATCH = 500;

/** Makes every waiting job a dead letter, as a worker does. */
async function failAll({ context, backend }: Stores, queue: JobQueue): Promise<void> {
  const { clock, log } = context;
  const reason = 'container_mismatch: the label names another game';
  const settlement = async () => ({ action: 'dead_letter', reason, history: EMPTY_HISTORY }) as const;
  const worker = createCleanupWorker(
    { backend, clock, report: queueReport(log), consumer: { consume: settlement }, gaveUp: settlement },
    { concurrency: backend.kind === 'redis' ? 32 : 4 },
  );
  await worker.start();
  while ((await queue.getFailedCount()) < letters) await pause(clock, 100);
  await worker.stop({ graceMs: 1_000 });
}

async function main(stores: Stores): Promise<void> {
  const { context, backend, queues } = stores;
  const { deadLetters } = queues;
  const { signal } = context;
  const queue = await backend.queue({ onError: () => undefined });
  for (let start = 0; start < letters; start += BATCH) {
    const count = Math.min(BATCH, letters - start);
    const data = (n: number): object => ({ gameId: `game-${start + n}`, opSource: 'gm_rest' });
    await queue.addBulk(Array.from({ length: count }, (_, n) => ({ name: CLEANUP_JOB, data: data(n) })));
  }
  await failAll(stores, queue);

  const counting = await timed(() => deadLetters.countByCode());
  const games = await timed(() => deadLetters.among('all'));
  const listing = await timed(() => deadLetters.list({ code: 'container_mismatch', limit: 50 }));
  const replaying = await timed(() => deadLetters.replayAll({}, { signal, perSecond: 1_000_000 }));
  await failAll(stores, queue);
  const paced = await timed(() => deadLetters.replayAll({}, { signal }));
  await failAll(stores, queue);
  const bulkRetry = await timed(() => queue.retryJobs({ state: 'failed', count: 1_000 }));
  await failAll(stores, queue);
  const purging = await timed(() => deadLetters.purgeAll({}, { signal, perSecond: 1_000_000 }));
  await queue.close();

  console.log(
    `${letters} dead letters on the ${backend.kind} queue: counted by code in ${shownSeconds(counting)}, ` +
      `listed for a sweep in ${shownSeconds(games)}, first page of one code in ${shownSeconds(listing)}`,
  );
  console.log(
    `replayed in ${shownSeconds(paced)} at the usual pace (5,000 a second at most), in ${shownSeconds(replaying)} without one; ` +
      `BullMQ's retryJobs ${shownSeconds(bulkRetry)}, ratio ${(replaying / bulkRetry).toFixed(1)}; purged in ${shownSeconds(purging)}`,
  );
}

await onStores(main);
