import type { ChildProcess } from 'node:child_process';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/async/clock.js';
import type { SweepReport } from '../../../src/retention/ports.js';
import { startChild } from '../../support/queue/queue-child.js';
import { countedSweeps, NOTHING_DUE, untilAborted } from '../../support/queue/queue-scripts.js';
import { openRetentionQueue, STORE_KINDS } from '../../support/queue/queue-stores.js';
import { useQueueWorld } from '../../support/queue/queue-world.js';
import { RETENTION_QUEUE } from '../../../src/adapters/bullmq/names.js';
import { eventually } from '../../support/eventually.js';

const HOUR_MS = 3_600_000;

describe.each(STORE_KINDS)('the sweeps on %s', (kind) => {
  const world = useQueueWorld(kind);
  let child: ChildProcess | undefined;
  const startWorker = (sweep: (signal: AbortSignal) => Promise<SweepReport>, everyMs = HOUR_MS) =>
    world.startSweepWorker(sweep, { everyMs, ensureEveryMs: 200 });

  afterEach(() => {
    child?.kill('SIGKILL');
    child = undefined;
  });

  it('the sweep of a killed worker runs again within seconds', async () => {
    const { child: victim, firstLine } = startChild(world.space, 'sweep');
    child = victim;
    await firstLine;
    const sweeps = countedSweeps();
    await startWorker(sweeps.sweep);
    expect(sweeps.begun()).toBe(0);
    victim.kill('SIGKILL');
    await sweeps.untilBegun(1, { withinMs: 15_000 });
    const queue = await openRetentionQueue(world.space);
    await world.space.untilQueue(async () => expect(await queue.getCompletedCount()).toBe(1), {
      queue: RETENTION_QUEUE,
    });
    expect(sweeps.begun()).toBe(1);
    expect(await queue.getJobSchedulersCount()).toBe(1);
    expect(await queue.getDelayedCount()).toBe(1);
    await queue.close();
  });

  it('the sweeps go on when the store drops every connection during one', async () => {
    const sweeps = countedSweeps(async (nth, signal) => {
      if (nth > 1) return NOTHING_DUE;
      await world.store.proxy.cut();
      await world.store.proxy.restore();
      return Promise.race([
        untilAborted(signal),
        new Promise<SweepReport>((done) => systemClock.after(500, () => done(NOTHING_DUE))),
      ]);
    });
    await startWorker(sweeps.sweep, 1_000);
    await sweeps.untilBegun(4, { withinMs: 30_000 });
    expect(sweeps.begun()).toBeGreaterThanOrEqual(4);
  });
});

describe('a Redis that is emptied', () => {
  const world = useQueueWorld('redis');

  it('a Redis emptied between two sweeps and during one gets its schedule back, and one sweep runs at a time', async () => {
    const redis = new Redis(world.space.env['REDIS_URL'] ?? '');
    world.atEnd(async () => redis.disconnect());
    let running = 0;
    let most = 0;
    const sweeps = countedSweeps(async (nth) => {
      most = Math.max(most, (running += 1));
      if (nth === 2) await redis.flushall();
      running -= 1;
      return NOTHING_DUE;
    });
    await world.startSweepWorker(sweeps.sweep, { everyMs: HOUR_MS, ensureEveryMs: 100 });
    await sweeps.untilBegun(1);
    const queue = await openRetentionQueue(world.space);
    world.atEnd(() => queue.close());
    await world.space.untilQueue(async () => expect(await queue.getDelayedCount()).toBe(1), { queue: RETENTION_QUEUE });
    // Between two sweeps: the new schedule starts with a sweep at once, and that sweep empties Redis while it runs.
    await redis.flushall();
    await sweeps.untilBegun(3, { withinMs: 20_000 });
    await eventually(async () => {
      expect(await queue.getJobSchedulersCount()).toBe(1);
      expect(await queue.getGlobalConcurrency()).toBe(1);
    });
    expect(most).toBe(1);
  });
});
