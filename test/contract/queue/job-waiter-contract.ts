import { describe, expect, it } from 'vitest';
import { failure, resultToJson } from '../../../src/domain/result.js';
import type { JobResult } from '../../../src/jobs/ports.js';
import { success } from '../../support/queue/queue-scripts.js';
import { openForEachTest } from '../hooks.js';
import type { QueueHarness, QueueHarnesses } from '../../support/queue/queue-harness.js';
import { neverAborted } from '../../support/calls.js';

const MANY = 250;

/** What every implementation of `JobWaiter` promises. */
export function jobWaiterContract(name: string, start: () => Promise<QueueHarnesses>): void {
  describe(`job waiter: ${name}`, () => {
    let queue: QueueHarness;
    openForEachTest(start, (opened) => {
      queue = opened;
      // The first try of each game fails and is repeated: an attempt that is repeated is not the end of its job.
      queue.answer = (gameId) => {
        if (queue.tried.get(gameId) === 1) return failure('conflict', 'try again');
        return gameId === 'dead' ? failure('not_found', 'no record') : success(gameId);
      };
    });

    const add = (gameId: string) => queue.add({ gameId, opSource: 'gm_rest' });
    const waitFor = async (jobIds: readonly string[], signal = neverAborted): Promise<JobResult[]> => {
      const results: JobResult[] = [];
      await queue.jobWaiter.wait(jobIds, (result) => void results.push(result), signal);
      return results;
    };

    it('each job’s ending is reported once: completed, failed, or missing', async () => {
      const done = await add('done');
      const dead = await add('dead');
      const waiting = waitFor([done, dead, 'unknown']);
      await queue.startWorker();
      const results = await waiting;
      expect(results).toHaveLength(3);
      expect(results).toContainEqual({ jobId: 'unknown', state: 'missing' });
      expect(results).toContainEqual({ jobId: dead, state: 'failed', reason: 'not_found: no record' });
      expect(results).toContainEqual({ jobId: done, state: 'completed', result: resultToJson(success('done')) });
      expect(queue.tried).toEqual(
        new Map([
          ['done', 2],
          ['dead', 2],
        ]),
      );
    });

    it('a job that ended before the wait is reported', async () => {
      await queue.startWorker();
      const jobId = await add('done');
      await waitFor([jobId]);
      expect(await waitFor([jobId])).toMatchObject([{ jobId, state: 'completed' }]);
    });

    it('one job is reported to all its waiters, and a wait for no jobs resolves at once', async () => {
      const jobId = await add('done');
      const both = Promise.all([waitFor([jobId]), waitFor([jobId, jobId])]);
      await queue.startWorker();
      expect(await both).toMatchObject([[{ jobId }], [{ jobId }]]);
      expect(await waitFor([])).toEqual([]);
    });

    it(`a waiter waits for ${MANY} jobs at once`, async () => {
      queue.answer = success;
      const ids = await Promise.all(Array.from({ length: MANY }, (_, index) => add(`g${index}`)));
      const waiting = waitFor(ids);
      await queue.startWorker();
      expect((await waiting).map(({ jobId }) => jobId).toSorted()).toEqual(ids.toSorted());
    }, 60_000);

    it('a wait rejects with the reason of its signal, and with an error after the waiter is closed', async () => {
      const jobId = await add('never started');
      const caller = new AbortController();
      const first = waitFor([jobId], caller.signal);
      const second = waitFor([jobId]);
      caller.abort(new RangeError('enough'));
      await expect(first).rejects.toThrow('enough');
      await expect(waitFor([jobId], caller.signal)).rejects.toThrow('enough');
      await Promise.all([expect(second).rejects.toThrow('closed'), queue.jobWaiter.close()]);
      await expect(waitFor([jobId])).rejects.toThrow('closed');
      await queue.jobWaiter.close();
    });
  });
}
