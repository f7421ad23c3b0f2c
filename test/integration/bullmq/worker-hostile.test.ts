import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCleanupWorker } from '../../../src/adapters/bullmq/worker/cleanup-worker.js';
import type { QueueWorker } from '../../../src/adapters/bullmq/worker/queue-worker.js';
import { systemClock } from '../../../src/async/clock.js';
import { createJobConsumer } from '../../../src/jobs/consume.js';
import type { JobConsumer } from '../../../src/jobs/delivery.js';
import { completed, scripted, abandonedByQueue } from '../../support/queue/queue-scripts.js';
import { type QueueSpace, startStore, STORE_KINDS, type TestStore } from '../../support/queue/queue-stores.js';
import { createWorld } from '../../support/cleanup-world.js';
import { row } from '../../faults/codes/catalogue/rows.js';
import { eventually } from '../../support/eventually.js';

const JOB = 'cleanup_container';
const request = { gameId: 'game-1', opSource: 'lobby_stream' };

describe.each(STORE_KINDS)('jobs that could have run for ever on %s', (kind) => {
  let store: TestStore;
  let space: QueueSpace;
  let worker: QueueWorker;

  const work = async (consumer: JobConsumer): Promise<void> => {
    const deps = { backend: space.backend, clock: systemClock, report: space.report, abandoned: abandonedByQueue };
    worker = createCleanupWorker({ ...deps, consumer }, { lockMs: 1_500, stallCheckMs: 300 });
    await worker.start();
  };
  const storeData = async (id: string, json: string): Promise<void> => {
    if (kind === 'postgres') {
      await store.sql(`UPDATE ${space.env['QUEUE_SPACE']}.job SET data = $2::jsonb WHERE id = $1`, [id, json]);
      return;
    }
    const client = await space.plain.getBackend().client;
    await client.hset(`${space.plain.qualifiedName}:${id}`, { data: json });
  };
  const ended = (id = '') =>
    eventually(
      async () => {
        const state = await space.plain.getJobState(id);
        expect(['completed', 'failed']).toContain(state);
        const job = await space.plain.getJob(id);
        return { state, reason: job?.failedReason };
      },
      { withinMs: 20_000 },
    );

  beforeAll(async () => {
    store = await startStore(kind);
  });
  afterAll(() => store.stop());
  beforeEach(async () => {
    space = await store.space();
  });
  afterEach(async () => {
    await worker.stop({ graceMs: 0 });
    await space.close();
  });

  it.each([
    { pattern: 'no cron at all' },
    { pattern: '0 * * * *', tz: 'Nowhere/City' },
    { every: 1_000, immediately: true, startDate: 5 },
  ])('a schedule that is none: %j', async (repeat) => {
    await work(scripted());
    const opts = { repeat, repeatJobKey: 'no-such-scheduler' };
    const [job] = await space.plain.addBulk([{ name: JOB, data: request, opts }]);
    expect(await ended(job?.id)).toMatchObject({ state: 'completed' });
    expect(space.report.of('fault').length).toBeLessThanOrEqual(3);
  });

  it('a child that was hung on it while it ran', async () => {
    const { id = '' } = await space.plain.add(JOB, request);
    const parent = { id, queue: space.plain.qualifiedName };
    const hangOn = async () => void (await space.plain.add('child', {}, { delay: 3_600_000, parent }));
    await work(
      scripted(async ({ run }) => {
        if (run === 1) await hangOn();
        return completed();
      }),
    );
    const { state, reason } = await ended(id);
    expect(state).toBe('failed');
    expect(reason).toMatch(/^internal_error: .*pending dependencies/);
  });

  it(`${row('payload-nested-too-deep')}, and cannot be written`, async () => {
    const world = createWorld();
    const job = await space.plain.add(JOB, request);
    const levels = kind === 'redis' ? 100_000 : 5_000;
    await storeData(job.id ?? '', `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);
    const limits = { conflictMaxAttempts: 3, conflictMaxDelayMs: 1_000, retryMaxAgeMs: 86_400_000 };
    const deps = { cleanup: world.service, clock: systemClock, random: () => 0, traceId: () => '' };
    await work(createJobConsumer(deps, limits));
    expect(await ended(job.id)).toMatchObject({ state: 'failed', reason: expect.stringMatching(/^invalid_request: /) });
    expect(world.rows).toMatchObject([{ errorCode: 'invalid_request' }]);
  });
});
