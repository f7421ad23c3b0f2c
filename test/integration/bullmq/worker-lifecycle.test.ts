import { describe, expect, it } from 'vitest';
import { startChild } from '../../support/queue/queue-child.js';
import { completed, scripted, untilAborted } from '../../support/queue/queue-scripts.js';
import { STORE_KINDS } from '../../support/queue/queue-stores.js';
import { takeLock } from '../../support/queue/stored-jobs.js';
import { useQueueWorld } from '../../support/queue/queue-world.js';
import { createGate } from '../../support/changes.js';
import { InterruptedError } from '../../../src/domain/errors.js';
import type { JobOutcome } from '../../../src/jobs/delivery.js';

describe.each(STORE_KINDS)('a cleanup worker on %s', (kind) => {
  const world = useQueueWorld(kind);
  const { add, stateOf } = world;
  const startChildWorker = () => {
    const { child, ...says } = startChild(world.space, 'cleanup');
    world.atEnd(async () => void child.kill('SIGKILL'));
    return { kill: () => child.kill('SIGKILL'), ...says };
  };

  it('a worker that is stopped before it is started takes no job', async () => {
    const consumer = scripted();
    const worker = world.cleanupWorker(consumer);
    await worker.stop({ graceMs: 1_000 });
    await worker.start();
    const jobId = await add('game-1');
    expect(await stateOf(jobId)).toBe('waiting');
    expect(consumer.deliveries).toEqual([]);
  });

  it('a worker can be started and stopped more than once', async () => {
    const worker = world.cleanupWorker(scripted());
    await Promise.all([worker.start(), worker.start()]);
    await worker.start();
    const jobId = await add('game-1');
    await world.ended(jobId);
    expect(await stateOf(jobId)).toBe('completed');
    await Promise.all([worker.stop({ graceMs: 0 }), worker.stop({ graceMs: 0 })]);
    await worker.stop({ graceMs: 0 });
  });

  it('a stopping worker lets running work finish within the grace and takes no new job', async () => {
    const gate = createGate();
    const consumer = scripted(async () => {
      await gate.opened;
      return completed();
    });
    const worker = world.cleanupWorker(consumer, { concurrency: 1 });
    await worker.start();
    const running = await add('running');
    const waiting = await add('waiting');
    await consumer.delivered(1);
    const stopped = worker.stop({ graceMs: 20_000 });
    gate.open();
    await stopped;
    expect(await stateOf(running)).toBe('completed');
    expect(await stateOf(waiting)).toBe('waiting');
    expect(consumer.deliveries).toHaveLength(1);
  });

  it('a stopping worker aborts work that outlasts the grace and hands it back without counting an attempt', async () => {
    const reasons: unknown[] = [];
    const consumer = scripted(async (_delivery, signal) => {
      signal.addEventListener('abort', () => reasons.push(signal.reason));
      return untilAborted(signal);
    });
    const worker = world.cleanupWorker(consumer);
    await worker.start();
    const jobIds = [await add('game-1'), await add('game-2')];
    await consumer.delivered(2);
    const startedMs = performance.now();
    await worker.stop({ graceMs: 300 });
    expect(performance.now() - startedMs).toBeLessThan(3_000);
    expect(reasons).toEqual([expect.any(InterruptedError), expect.any(InterruptedError)]);
    expect(reasons).toMatchObject([{ interruption: 'shutdown' }, { interruption: 'shutdown' }]);
    for (const jobId of jobIds) {
      expect(await stateOf(jobId)).toBe('waiting');
      expect(await world.space.plain.getJob(jobId)).toMatchObject({ attemptsMade: 0, stalledCounter: 0 });
    }
    const next = scripted();
    await world.startCleanupWorker(next);
    await next.delivered(2);
    expect(next.deliveries.map(({ crashes }) => crashes)).toEqual([0, 0]);
  });

  it('a worker stops within its limit although its work ignores the signal', async () => {
    const gate = createGate<JobOutcome>();
    const consumer = scripted(() => gate.opened);
    const worker = world.cleanupWorker(consumer);
    await worker.start();
    await add('game-1');
    await consumer.delivered(1);
    const startedMs = performance.now();
    await worker.stop({ graceMs: 0 });
    expect(performance.now() - startedMs).toBeLessThan(9_500);
    gate.open(completed());
  }, 20_000);

  it('work whose lock was lost is aborted, and its job is left to the new owner', async () => {
    const aborted = createGate<unknown>();
    const consumer = scripted(async ({ run }, signal) => {
      if (run === 2) return completed();
      signal.addEventListener('abort', () => aborted.open(signal.reason));
      return untilAborted(signal);
    });
    await world.startCleanupWorker(consumer, { lockMs: 1_500, stallCheckMs: 300 });
    const jobId = await add('game-1');
    await consumer.delivered(1);
    await takeLock(world.store, world.space, world.space.plain, jobId);
    expect(await aborted.opened).toMatchObject({ interruption: 'lock lost' });
    await world.ended(jobId);
    expect(world.space.report.of('lockLost')).toContain(`lockLost: ${jobId}`);
    expect(await stateOf(jobId)).toBe('completed');
    expect(consumer.deliveries.map(({ run, crashes }) => ({ run, crashes }))).toEqual([
      { run: 1, crashes: 0 },
      { run: 2, crashes: 1 },
    ]);
  });

  it('the job of a killed worker is taken over within seconds, and again after a second kill', async () => {
    const jobId = await add('game-1');
    // Both run when the first is killed, so that the measured time is that of the takeover, without a start.
    const workers = [startChildWorker(), startChildWorker()];
    const [first, line] = await Promise.race(workers.map(async (worker) => [worker, await worker.firstLine] as const));
    expect(line).toBe('running 1 0');
    await Promise.all(workers.map(({ started }) => started));
    const second = workers.find((worker) => worker !== first);
    const firstKilledMs = performance.now();
    first.kill();
    expect(await second?.firstLine).toBe('running 2 1');
    expect(performance.now() - firstKilledMs).toBeLessThan(12_000);
    const consumer = scripted();
    await world.startCleanupWorker(consumer);
    second?.kill();
    await world.ended(jobId, { withinMs: 15_000 });
    expect(await stateOf(jobId)).toBe('completed');
    expect(consumer.deliveries).toMatchObject([{ run: 3, crashes: 2 }]);
  }, 120_000);
});
