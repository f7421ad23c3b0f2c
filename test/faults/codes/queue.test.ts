/** Jobs that are not tried again, because of the policy's limits or because of the queue's own record of the job. */
// oxlint-disable vitest/no-standalone-expect -- `provokes` defines the test
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import { createCleanupWorker } from '../../../src/adapters/bullmq/worker/cleanup-worker.js';
import { systemClock } from '../../../src/async/clock.js';
import { type AttemptHistory, EMPTY_HISTORY } from '../../../src/jobs/delivery.js';
import { startStore, type TestStore } from '../../support/queue/queue-stores.js';
import { provokes } from './catalogue/provokes.js';
import type { Ended } from './rig.js';
import { openSite, type Site } from './site.js';

const DAY_MS = 86_400_000;

let site: Site;
beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site.stop());
afterEach(() => site.containers.clear());

const historyAfter = ({ settlement }: Ended): AttemptHistory => {
  if (settlement.action !== 'retry') throw new Error(`the job was to be tried again, not to ${settlement.action}`);
  return settlement.history;
};

provokes('queue-last-conflict', /^conflict: the runtime is running; stop the runtime first/, async () => {
  const rig = await site.rig({ limits: { conflictMaxAttempts: 2 } });
  const game = await site.bareGame({ status: 'running' });
  const history = historyAfter(await rig.run(game.job()));
  return rig.run({ ...game.job(), run: 2, history });
});

provokes('queue-outage-too-long', /^service_unavailable: cannot look at container .*: connect ENOENT/, async () => {
  const rig = await site.rig({ dockerHost: 'unix:///no/such/engine.sock', limits: { retryMaxAgeMs: DAY_MS } });
  const game = await site.bareGame();
  const history = historyAfter(await rig.run(game.job()));
  const aDayLater = { ...history, firstFailedAt: new Date(Date.now() - DAY_MS).toISOString() };
  return rig.run({ ...game.job(), run: 2, history: aDayLater });
});

provokes(
  'queue-third-internal-error',
  /^internal_error: the record has the unsupported status "archived"/,
  async () => {
    await site.pool.query('ALTER TABLE runtime_records DROP CONSTRAINT runtime_records_status_check');
    const rig = await site.rig();
    const game = await site.bareGame({ status: 'archived' });
    let history: AttemptHistory = EMPTY_HISTORY;
    for (const run of [1, 2]) history = historyAfter(await rig.run({ ...game.job(), run, history }));
    return rig.run({ ...game.job(), run: 3, history });
  },
);

describe('a job on Redis', () => {
  let store: TestStore;
  beforeAll(async () => {
    store = await startStore('redis');
  });
  afterAll(() => store.stop());

  /** A job with these fields in BullMQ's own record of it, taken by a real worker. */
  const recordedWith = (fields: Readonly<Record<string, string>>) => async (): Promise<Ended> => {
    const space = await store.space();
    const rig = await site.rig();
    const game = await site.game();
    const job = await space.plain.add('cleanup_container', game.job().payload, {
      jobId: game.gameId,
      delay: 3_600_000,
    });
    const client = await space.plain.getBackend().client;
    await client.hset(`${space.plain.qualifiedName}:${job.id ?? ''}`, fields);
    await job.promote();

    const settled: Ended[] = [];
    const { consume, abandoned } = rig.consumer;
    const worker = createCleanupWorker({
      backend: space.backend,
      clock: systemClock,
      report: space.report,
      consumer: {
        consume: async (delivery, signal) => {
          const settlement = await consume(delivery, signal);
          settled.push(rig.endedWith(delivery, settlement));
          return settlement;
        },
      },
      abandoned: async (delivery, reason) => {
        const settlement = await abandoned(delivery, reason);
        settled.push(rig.endedWith(delivery, settlement));
        return settlement;
      },
    });
    await worker.start();
    await space.untilQueue(async () => expect(await space.plain.getJobState(job.id ?? '')).toBe('failed'));
    const reason = (await space.plain.getJob(job.id ?? ''))?.failedReason;
    await worker.stop({ graceMs: 0 });
    await space.close();
    expect(await site.containers.stateOf(game.containerId)).toBe('created');
    const [ended] = settled;
    if (ended === undefined) throw new Error('nothing was settled');
    expect(reason).toBe(ended.message);
    return ended;
  };

  provokes(
    'queue-worker-vanished',
    /^internal_error: the worker vanished 10 times while it ran this job; it is not tried again$/,
    recordedWith({ stc: '10' }),
  );
  provokes(
    'queue-gave-up',
    /^internal_error: the queue gave the job up: child 7 failed$/,
    recordedWith({ defa: 'child 7 failed' }),
  );
});
