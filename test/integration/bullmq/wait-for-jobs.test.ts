import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createJobWaiter } from '../../../src/adapters/bullmq/lookup/wait-for-jobs.js';
import { createCleanupWorker } from '../../../src/adapters/bullmq/worker/cleanup-worker.js';
import type { QueueWorker } from '../../../src/adapters/bullmq/worker/queue-worker.js';
import { systemClock } from '../../../src/async/clock.js';
import { resultToJson } from '../../../src/domain/result.js';
import type { JobResult, JobWaiter } from '../../../src/jobs/ports.js';
import {
  completed,
  deadLetter,
  retryAfter,
  scripted,
  success,
  abandonedByQueue,
} from '../../support/queue/queue-scripts.js';
import { type QueueSpace, startStore, STORE_KINDS, type TestStore } from '../../support/queue/queue-stores.js';

const never = new AbortController().signal;

describe.each(STORE_KINDS)('waiting for endings on %s', (kind) => {
  let store: TestStore;
  let space: QueueSpace;
  let worker: QueueWorker;
  let endings: JobWaiter;

  const add = async (gameId: string) =>
    (await space.plain.add('cleanup_container', { gameId, opSource: 'gm_rest' })).id ?? '';
  const waitFor = async (jobIds: readonly string[], signal = never): Promise<JobResult[]> => {
    const told: JobResult[] = [];
    await endings.wait(jobIds, (ending) => void told.push(ending), signal);
    return told;
  };

  beforeAll(async () => {
    store = await startStore(kind);
  });
  afterAll(() => store.stop());
  beforeEach(async () => {
    space = await store.space();
    const deps = { backend: space.backend, clock: systemClock, report: space.report };
    endings = createJobWaiter(deps);
    const consumer = scripted(({ payload, run }) => {
      const { gameId } = payload as { gameId: string };
      if (run === 1) return retryAfter(20);
      return gameId === 'dead' ? deadLetter('not_found: no record') : completed(gameId);
    });
    worker = createCleanupWorker({ ...deps, consumer, abandoned: abandonedByQueue });
  });
  afterEach(async () => {
    await worker.stop({ graceMs: 0 });
    await endings.close();
    await space.close();
  });

  it('tells each job’s ending once: completed, failed, or not there', async () => {
    const done = await add('done');
    const dead = await add('dead');
    const waiting = waitFor([done, dead, 'nobody']);
    await worker.start();
    const told = await waiting;
    expect(told).toHaveLength(3);
    expect(told).toContainEqual({ jobId: 'nobody', state: 'missing' });
    expect(told).toContainEqual({ jobId: dead, state: 'failed', reason: 'not_found: no record' });
    expect(told).toContainEqual({ jobId: done, state: 'completed', result: resultToJson(success('done')) });
  });

  it('tells of a job that has ended long since', async () => {
    await worker.start();
    const jobId = await add('done');
    await waitFor([jobId]);
    expect(await waitFor([jobId])).toMatchObject([{ jobId, state: 'completed' }]);
  });

  it('tells everybody who waits for the same job, and has nothing to say of none', async () => {
    const jobId = await add('done');
    const both = Promise.all([waitFor([jobId]), waitFor([jobId, jobId])]);
    await worker.start();
    expect(await both).toMatchObject([[{ jobId }], [{ jobId }]]);
    expect(await waitFor([])).toEqual([]);
  });

  it('waits for hundreds of jobs at once', async () => {
    const added = await space.plain.addBulk(
      Array.from({ length: 250 }, (_, index) => ({
        name: 'cleanup_container',
        data: { gameId: `g${index}`, opSource: 'gm_rest' },
      })),
    );
    const waiting = waitFor(added.map(({ id = '' }) => id));
    await worker.start();
    expect(await waiting).toHaveLength(250);
  }, 60_000);

  it('ends with the signal’s reason, and with an error when it is closed', async () => {
    const jobId = await add('never started');
    const patience = new AbortController();
    const first = waitFor([jobId], patience.signal);
    const second = waitFor([jobId]);
    patience.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    await expect(waitFor([jobId], patience.signal)).rejects.toThrow('enough');
    await Promise.all([expect(second).rejects.toThrow('closed'), endings.close()]);
    await expect(waitFor([jobId])).rejects.toThrow('closed');
    await endings.close();
  });
});
