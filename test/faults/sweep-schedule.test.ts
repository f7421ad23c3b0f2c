import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JobQueue } from '../../src/adapters/bullmq/backend.js';
import { RETENTION_QUEUE, SWEEP_JOB, SWEEP_SCHEDULER } from '../../src/adapters/bullmq/names.js';
import { createSweepSchedule } from '../../src/adapters/bullmq/sweep-schedule.js';
import { createSweepWorker, type SweepWorker } from '../../src/adapters/bullmq/sweep-worker.js';
import { systemClock } from '../../src/clock.js';
import type { SweepReport } from '../../src/retention/ports.js';
import { type QueueSpace, startStore, STORE_KINDS, type TestStore } from '../contract/queue-stores.js';
import { eventually } from '../support/eventually.js';

const DAY_MS = 24 * 3_600_000;
const now = new Date().toISOString();
const DONE: SweepReport = {
  status: 'done', asOf: now, finishedAt: now, stopped: 0, planned: 0,
  kept: { held: 0, dead_letter: 0, invalid_id: 0 }, enqueued: 0, coalesced: 0, failed: 0,
};

describe.each(STORE_KINDS)('PROBE %s', (kind) => {
  let store: TestStore; let space: QueueSpace; let queue: JobQueue; let worker: SweepWorker | undefined; let swept: number;
  const start = async (everyMs: number) => {
    worker = createSweepWorker({ backend: space.backend, clock: systemClock, report: space.report,
      sweep: async () => { swept += 1; return DONE; } }, { everyMs, ensureEveryMs: 100 });
    await worker.start();
  };
  beforeAll(async () => { store = await startStore(kind); });
  afterAll(() => store.stop());
  beforeEach(async () => { space = await store.space(); swept = 0;
    queue = await space.backend.queue({ name: RETENTION_QUEUE, onError: () => undefined }); });
  afterEach(async () => { await worker?.stop({ graceMs: 0 }); worker = undefined; await queue.close(); await space.close(); });

  it('A pending job cleaned', async () => {
    await start(1_500);
    await eventually(() => expect(swept).toBe(1));
    await eventually(async () => expect(await queue.getDelayedCount()).toBe(1));
    const removed = await queue.clean(0, 0, 'delayed');
    console.log(kind, 'A clean removed', removed, 'delayed', await queue.getDelayedCount());
    const before = swept;
    await eventually(() => expect(swept).toBeGreaterThan(before + 1), { withinMs: 12_000 });
  }, 30_000);

  it('B next a day ahead', async () => {
    await queue.upsertJobScheduler(SWEEP_SCHEDULER, { every: 1_000, startDate: Date.now() + DAY_MS }, { name: SWEEP_JOB, data: {} });
    console.log(kind, 'B', await queue.getJobScheduler(SWEEP_SCHEDULER));
    await start(1_000);
    await eventually(() => expect(swept).toBeGreaterThan(0), { withinMs: 12_000 });
  }, 30_000);

  it('F same interval, other name', async () => {
    await queue.upsertJobScheduler(SWEEP_SCHEDULER, { every: 1_000 }, { name: 'other', data: {} });
    await start(1_000);
    await eventually(() => expect(swept).toBeGreaterThan(0), { withinMs: 8_000 });
  }, 30_000);

  it('C unreadable job', async () => {
    if (kind === 'redis') {
      const { id = '' } = await queue.add(SWEEP_JOB, {}, { delay: DAY_MS });
      const client = await queue.getBackend().client;
      await client.hset(`${queue.qualifiedName}:${id}`, { opts: 'null' });
      const job = await queue.getJobState(id);
      await (queue as never as { backend: { promote: (id: string) => Promise<number> } }).backend.promote(id);
      console.log('C', job, await queue.getJobState(id));
    }
    await start(1_000);
    await eventually(() => expect(swept).toBeGreaterThan(2), { withinMs: 22_000 });
  }, 40_000);

  it('D status beside foreign jobs', async () => {
    await start(DAY_MS);
    await eventually(() => expect(swept).toBe(1));
    const { id = '' } = await queue.add('other', {});
    await eventually(async () => expect(await queue.getJobState(id)).toBe('failed'));
    if (kind === 'redis') {
      const client = await queue.getBackend().client;
      await client.hset(`${queue.qualifiedName}:${id}`, { data: '{"' });
    }
    const schedule = createSweepSchedule({ backend: space.backend, clock: systemClock, report: space.report });
    const status = await schedule.status().catch((e: unknown) => e);
    await schedule.close();
    console.log(kind, 'D', status);
    expect(status).toMatchObject({ last: { status: 'done' }, lastFailure: null });
  }, 30_000);

  it('E stop right after start', async () => {
    let open = 0;
    const backend = { ...space.backend, exclusively: async <T>(key: string, work: () => Promise<T>) => { open += 1; try { return await space.backend.exclusively(key, work); } finally { open -= 1; } } };
    for (let round = 0; round < 12; round++) {
      await queue.removeJobScheduler(SWEEP_SCHEDULER);
      const one = createSweepWorker({ backend, clock: systemClock, report: space.report, sweep: async () => DONE }, { everyMs: DAY_MS });
      await one.start();
      await new Promise((r) => setTimeout(r, round));
      await one.stop({ graceMs: 0 });
    }
    await eventually(() => expect(open).toBe(0), { withinMs: 6_000 });
  }, 60_000);
});
