import { beforeEach, describe, expect, it } from 'vitest';
import { createJobWaiter } from '../../../src/adapters/bullmq/lookup/wait-for-jobs.js';
import type { QueueWorker } from '../../../src/adapters/bullmq/worker/queue-worker.js';
import { resultToJson } from '../../../src/domain/result.js';
import type { JobResult, JobWaiter } from '../../../src/jobs/ports.js';
import { completed, deadLetter, retryAfter, scripted, success } from '../../support/queue/queue-scripts.js';
import { STORE_KINDS } from '../../support/queue/queue-stores.js';
import { useQueueWorld } from '../../support/queue/queue-world.js';

const never = new AbortController().signal;

describe.each(STORE_KINDS)('waiting for endings on %s', (kind) => {
  const world = useQueueWorld(kind);
  const { add } = world;
  let worker: QueueWorker;
  let endings: JobWaiter;

  const waitFor = async (jobIds: readonly string[], signal = never): Promise<JobResult[]> => {
    const reported: JobResult[] = [];
    await endings.wait(jobIds, (ending) => void reported.push(ending), signal);
    return reported;
  };

  beforeEach(() => {
    endings = createJobWaiter(world.deps());
    world.atEnd(endings.close);
    const consumer = scripted(({ payload, run }) => {
      const { gameId } = payload as { gameId: string };
      if (run === 1) return retryAfter(20);
      return gameId === 'dead' ? deadLetter('not_found: no record') : completed(gameId);
    });
    worker = world.cleanupWorker(consumer);
  });

  it('a wait reports the ending of each job once: completed, failed or missing', async () => {
    const done = await add('done');
    const dead = await add('dead');
    const waiting = waitFor([done, dead, 'no-such-job']);
    await worker.start();
    const reported = await waiting;
    expect(reported).toHaveLength(3);
    expect(reported).toContainEqual({ jobId: 'no-such-job', state: 'missing' });
    expect(reported).toContainEqual({ jobId: dead, state: 'failed', reason: 'not_found: no record' });
    expect(reported).toContainEqual({ jobId: done, state: 'completed', result: resultToJson(success('done')) });
  });

  it('a wait reports a job that had ended before it began', async () => {
    await worker.start();
    const jobId = await add('done');
    await waitFor([jobId]);
    expect(await waitFor([jobId])).toMatchObject([{ jobId, state: 'completed' }]);
  });

  it('two waits for one job both get its ending, and a wait for no job ends at once', async () => {
    const jobId = await add('done');
    const both = Promise.all([waitFor([jobId]), waitFor([jobId, jobId])]);
    await worker.start();
    expect(await both).toMatchObject([[{ jobId }], [{ jobId }]]);
    expect(await waitFor([])).toEqual([]);
  });

  it('one wait covers hundreds of jobs', async () => {
    const added = await world.space.plain.addBulk(
      Array.from({ length: 250 }, (_, index) => ({
        name: 'cleanup_container',
        data: { gameId: `g${index}`, opSource: 'gm_rest' },
      })),
    );
    const waiting = waitFor(added.map(({ id = '' }) => id));
    await worker.start();
    expect(await waiting).toHaveLength(250);
  }, 60_000);

  it('a wait rejects with the reason of its signal, and when it is closed', async () => {
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
