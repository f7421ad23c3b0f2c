import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RETENTION_QUEUE } from '../../../src/adapters/bullmq/names.js';
import { createSweepWorker } from '../../../src/adapters/bullmq/sweeps/sweep-worker.js';
import type { QueueWorker } from '../../../src/adapters/bullmq/worker/queue-worker.js';
import { systemClock } from '../../../src/async/clock.js';
import type { SweepReport } from '../../../src/retention/ports.js';
import { untilAborted } from '../../support/queue/queue-scripts.js';
import { type QueueSpace, startStore, STORE_KINDS, type TestStore } from '../../support/queue/queue-stores.js';
import { eventually } from '../../support/eventually.js';

const CHILD = fileURLToPath(new URL('../../support/queue/sweep-crash-child.ts', import.meta.url));
const HOUR_MS = 3_600_000;
const now = new Date().toISOString();
const DONE: SweepReport = {
  status: 'done',
  asOf: now,
  finishedAt: now,
  stopped: 0,
  planned: 0,
  kept: { held: 0, dead_letter: 0, invalid_id: 0 },
  enqueued: 0,
  coalesced: 0,
  failed: 0,
};

describe.each(STORE_KINDS)('the sweeps on %s', (kind) => {
  let store: TestStore;
  let space: QueueSpace;
  let worker: QueueWorker | undefined;
  let child: ChildProcess | undefined;

  const startWorker = async (sweep: (signal: AbortSignal) => Promise<SweepReport>, everyMs = HOUR_MS) => {
    const { backend, report } = space;
    worker = createSweepWorker({ backend, clock: systemClock, report, sweep }, { everyMs, ensureEveryMs: 200 });
    await worker.start();
  };

  beforeAll(async () => {
    store = await startStore(kind);
  });
  afterAll(() => store.stop());
  beforeEach(async () => {
    space = await store.space();
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    await worker?.stop({ graceMs: 0 });
    child = worker = undefined;
    await space.close();
  });

  it('go on within seconds when the worker that runs one is killed', async () => {
    const env = { ...process.env, REDIS_URL: undefined, DATABASE_URL: undefined, ...space.env };
    const victim = spawn(process.execPath, ['--import', 'tsx', CHILD], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    child = victim;
    await once(createInterface({ input: victim.stdout }), 'line');
    let swept = 0;
    await startWorker(async () => {
      swept += 1;
      return DONE;
    });
    expect(swept).toBe(0);
    victim.kill('SIGKILL');
    await eventually(() => expect(swept).toBe(1), { withinMs: 15_000 });
    const queue = await space.backend.queue({ name: RETENTION_QUEUE, onError: () => undefined });
    await eventually(async () => expect(await queue.getCompletedCount()).toBe(1));
    expect(await queue.getJobSchedulersCount()).toBe(1);
    expect(await queue.getDelayedCount()).toBe(1);
    await queue.close();
  });

  it('go on when the store drops every connection in the middle of one', async () => {
    let swept = 0;
    await startWorker(async (signal) => {
      swept += 1;
      if (swept === 1) {
        await store.proxy.cut();
        await store.proxy.restore();
        return Promise.race([
          untilAborted(signal),
          new Promise<SweepReport>((done) => systemClock.after(500, () => done(DONE))),
        ]);
      }
      return DONE;
    }, 1_000);
    await eventually(() => expect(swept).toBeGreaterThan(3), { withinMs: 30_000 });
  });
});

describe('a Redis that is emptied', () => {
  it('between two sweeps and in the middle of one has its schedule again by itself, and one at a time', async () => {
    const store = await startStore('redis');
    const space = await store.space();
    const redis = new Redis(space.env['REDIS_URL'] ?? '');
    let swept = 0;
    let running = 0;
    let most = 0;
    const worker = createSweepWorker(
      {
        backend: space.backend,
        clock: systemClock,
        report: space.report,
        sweep: async () => {
          swept += 1;
          most = Math.max(most, (running += 1));
          if (swept === 2) await redis.flushall();
          running -= 1;
          return DONE;
        },
      },
      { everyMs: HOUR_MS, ensureEveryMs: 100 },
    );
    try {
      await worker.start();
      await eventually(() => expect(swept).toBe(1));
      const queue = await space.backend.queue({ name: RETENTION_QUEUE, onError: () => undefined });
      await eventually(async () => expect(await queue.getDelayedCount()).toBe(1));
      // Between two: the schedule that is made anew begins with a sweep at once; that one empties Redis in its middle.
      await redis.flushall();
      await eventually(() => expect(swept).toBeGreaterThanOrEqual(3), { withinMs: 20_000 });
      await eventually(async () => expect(await queue.getJobSchedulersCount()).toBe(1));
      await eventually(async () => expect(await queue.getGlobalConcurrency()).toBe(1));
      expect(most).toBe(1);
      await queue.close();
    } finally {
      await worker.stop({ graceMs: 0 });
      redis.disconnect();
      await space.close();
      await store.stop();
    }
  });
});
