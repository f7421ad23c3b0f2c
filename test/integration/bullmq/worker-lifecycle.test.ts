import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCleanupWorker } from '../../../src/adapters/bullmq/worker/cleanup-worker.js';
import type { QueueWorker } from '../../../src/adapters/bullmq/worker/queue-worker.js';
import { systemClock } from '../../../src/async/clock.js';
import {
  completed,
  type ScriptedConsumer,
  scripted,
  untilAborted,
  abandonedByQueue,
} from '../../support/queue/queue-scripts.js';
import { type QueueSpace, startStore, STORE_KINDS, type TestStore } from '../../support/queue/queue-stores.js';
import { eventually } from '../../support/eventually.js';
import { InterruptedError } from '../../../src/domain/errors.js';

const add = async (space: QueueSpace, gameId: string) => {
  const job = await space.plain.add('cleanup_container', { gameId, opSource: 'lobby_stream' });
  return job.id ?? '';
};

describe.each(STORE_KINDS)('the life of a cleanup worker on %s', (kind) => {
  let store: TestStore;
  let space: QueueSpace;
  const workers: QueueWorker[] = [];
  const children: ChildProcess[] = [];

  const workerFor = (consumer: ScriptedConsumer, settings = {}): QueueWorker => {
    const worker = createCleanupWorker(
      {
        backend: space.backend,
        consumer,
        clock: systemClock,
        report: space.report,
        abandoned: abandonedByQueue,
      },
      settings,
    );
    workers.push(worker);
    return worker;
  };
  const state = async (jobId: string) => (await space.plain.getJob(jobId))?.getState();

  beforeAll(async () => {
    store = await startStore(kind);
  });
  afterAll(() => store.stop());
  beforeEach(async () => {
    space = await store.space();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await Promise.all(workers.splice(0).map((worker) => worker.stop({ graceMs: 0 })));
    await space.close();
  });

  it('may be stopped before it is started, and then takes nothing', async () => {
    const consumer = scripted();
    const worker = workerFor(consumer);
    await worker.stop({ graceMs: 1_000 });
    await worker.start();
    const jobId = await add(space, 'game-1');
    expect(await state(jobId)).toBe('waiting');
    expect(consumer.deliveries).toEqual([]);
  });

  it('may be started and stopped more than once', async () => {
    const worker = workerFor(scripted());
    await Promise.all([worker.start(), worker.start()]);
    await worker.start();
    const jobId = await add(space, 'game-1');
    await eventually(async () => expect(await state(jobId)).toBe('completed'));
    await Promise.all([worker.stop({ graceMs: 0 }), worker.stop({ graceMs: 0 })]);
    await worker.stop({ graceMs: 0 });
  });

  it('lets running work finish within the grace and takes nothing new', async () => {
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const consumer = scripted(async () => {
      await gate;
      return completed();
    });
    const worker = workerFor(consumer, { concurrency: 1 });
    await worker.start();
    const running = await add(space, 'running');
    const waiting = await add(space, 'waiting');
    await eventually(() => expect(consumer.deliveries).toHaveLength(1));
    const stopped = worker.stop({ graceMs: 20_000 });
    open();
    await stopped;
    expect(await state(running)).toBe('completed');
    expect(await state(waiting)).toBe('waiting');
    expect(consumer.deliveries).toHaveLength(1);
  });

  it('aborts work that outlasts the grace and hands it back with no attempt lost', async () => {
    const reasons: unknown[] = [];
    const consumer = scripted(async (_delivery, signal) => {
      signal.addEventListener('abort', () => reasons.push(signal.reason));
      return untilAborted(signal);
    });
    const worker = workerFor(consumer);
    await worker.start();
    const jobIds = [await add(space, 'game-1'), await add(space, 'game-2')];
    await eventually(() => expect(consumer.deliveries).toHaveLength(2));
    const startedMs = performance.now();
    await worker.stop({ graceMs: 300 });
    expect(performance.now() - startedMs).toBeLessThan(3_000);
    expect(reasons).toEqual([expect.any(InterruptedError), expect.any(InterruptedError)]);
    expect(reasons).toMatchObject([{ interruption: 'shutdown' }, { interruption: 'shutdown' }]);
    for (const jobId of jobIds) {
      expect(await state(jobId)).toBe('waiting');
      expect(await space.plain.getJob(jobId)).toMatchObject({ attemptsMade: 0, stalledCounter: 0 });
    }
    const next = scripted();
    await workerFor(next).start();
    await eventually(() => expect(next.deliveries).toHaveLength(2));
    expect(next.deliveries.map(({ crashes }) => crashes)).toEqual([0, 0]);
  });

  it('stops in the end although work ignores its signal', async () => {
    let release = (): void => undefined;
    const consumer = scripted(
      () =>
        new Promise((resolve) => {
          release = () => resolve(completed());
        }),
    );
    const worker = workerFor(consumer);
    await worker.start();
    await add(space, 'game-1');
    await eventually(() => expect(consumer.deliveries).toHaveLength(1));
    const startedMs = performance.now();
    await worker.stop({ graceMs: 0 });
    expect(performance.now() - startedMs).toBeLessThan(9_500);
    release();
  }, 20_000);

  it('tells work that its lock was lost, and leaves the job to its new owner', async () => {
    const reasons: unknown[] = [];
    const consumer = scripted(async ({ run }, signal) => {
      if (run === 2) return completed();
      signal.addEventListener('abort', () => reasons.push(signal.reason));
      return untilAborted(signal);
    });
    await workerFor(consumer, { lockMs: 1_500, stallCheckMs: 300 }).start();
    const jobId = await add(space, 'game-1');
    await eventually(() => expect(consumer.deliveries).toHaveLength(1));
    await stealLock(store, space, jobId);
    await eventually(() => expect(reasons).toMatchObject([{ interruption: 'lock lost' }]));
    expect(space.report.of('lockLost')).toContain(`lockLost: ${jobId}`);
    await eventually(async () => expect(await state(jobId)).toBe('completed'));
    expect(consumer.deliveries.map(({ run, crashes }) => ({ run, crashes }))).toEqual([
      { run: 1, crashes: 0 },
      { run: 2, crashes: 1 },
    ]);
  });

  it('takes over the job of a killed worker within seconds, and again after a second kill', async () => {
    const jobId = await add(space, 'game-1');
    const first = await spawnWorker(space);
    children.push(first.child);
    expect(first.said).toBe('running 1 0');
    const second = await spawnWorkerBeforeKilling(space, first.child);
    children.push(second.child);
    expect(second.said).toBe('running 2 1');
    expect(second.afterMs).toBeLessThan(12_000);
    const consumer = scripted();
    await workerFor(consumer).start();
    const killedMs = performance.now();
    second.child.kill('SIGKILL');
    await eventually(async () => expect(await state(jobId)).toBe('completed'), { withinMs: 15_000 });
    expect(performance.now() - killedMs).toBeLessThan(15_000);
    expect(consumer.deliveries).toMatchObject([{ run: 3, crashes: 2 }]);
  }, 60_000);
});

/** As if the worker had been suspended past the end of its lock while another one took the job. */
async function stealLock(store: TestStore, space: QueueSpace, jobId: string): Promise<void> {
  if (store.kind === 'postgres') {
    const schema = space.env['QUEUE_SPACE'] ?? '';
    await store.sql(`UPDATE ${schema}.job SET lock_token = 'thief', locked_until_ms = 1 WHERE id = $1`, [jobId]);
    return;
  }
  const client = await space.plain.getBackend().client;
  await client.del(`${space.plain.qualifiedName}:${jobId}:lock`);
}

interface Spawned {
  readonly child: ChildProcess;
  readonly said: string;
}

const CHILD = fileURLToPath(new URL('../../support/queue/queue-crash-child.ts', import.meta.url));

function startChild(space: QueueSpace): { child: ChildProcess; said: Promise<string> } {
  const env = { ...process.env, REDIS_URL: undefined, DATABASE_URL: undefined, ...space.env };
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const said = once(createInterface({ input: child.stdout }), 'line').then(([line]) => String(line));
  return { child, said };
}

async function spawnWorker(space: QueueSpace): Promise<Spawned> {
  const { child, said } = startChild(space);
  return { child, said: await said };
}

async function spawnWorkerBeforeKilling(
  space: QueueSpace,
  victim: ChildProcess,
): Promise<Spawned & { afterMs: number }> {
  const before = await workersAt(space);
  const { child, said } = startChild(space);
  // Both are up when the first dies, so that what is measured is the takeover and not a start.
  await eventually(async () => expect(await workersAt(space)).toBe(before + 1), { withinMs: 20_000 });
  const killedMs = performance.now();
  victim.kill('SIGKILL');
  const line = await said;
  return { child, said: line, afterMs: performance.now() - killedMs };
}

const workersAt = async (space: QueueSpace): Promise<number> => (await space.plain.getWorkers()).length;
