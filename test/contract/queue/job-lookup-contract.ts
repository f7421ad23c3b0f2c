import { describe, expect, it } from 'vitest';
import { failure } from '../../../src/domain/result.js';
import { openForEachTest } from '../hooks.js';
import type { QueueHarness, QueueHarnesses } from '../../support/queue/queue-harness.js';
import { neverAborted } from '../../support/calls.js';

const HOUR_MS = 3_600_000;

/** What every implementation of `JobLookup` promises. */
export function jobLookupContract(name: string, start: () => Promise<QueueHarnesses>): void {
  describe(`job look-up: ${name}`, () => {
    let queue: QueueHarness;
    openForEachTest(start, (opened) => {
      queue = opened;
    });

    const add = (gameId: string, delayMs?: number) =>
      queue.add({ gameId, opSource: 'gm_rest', sourceRef: 'r-1' }, delayMs === undefined ? {} : { delayMs });
    const untilEnded = (jobId: string) => queue.jobWaiter.wait([jobId], () => undefined, neverAborted);

    it('a waiting job is shown with no tries', async () => {
      const jobId = await add('a');
      expect(await queue.jobLookup.find(jobId)).toEqual({
        jobId,
        gameId: 'a',
        opSource: 'gm_rest',
        sourceRef: 'r-1',
        state: 'waiting',
        enqueuedAt: expect.any(Date),
        startedAt: null,
        finishedAt: null,
        nextTryAt: null,
        tries: 0,
        attempts: [],
        ending: null,
      });
    });

    it('a delayed job is shown with the time when it is due', async () => {
      const found = await queue.jobLookup.find(await add('a', HOUR_MS));
      expect(found).toMatchObject({ state: 'delayed', tries: 0, ending: null });
      // The producer's clock gives both times, but not in one reading.
      const delayMs = (found?.nextTryAt?.getTime() ?? 0) - (found?.enqueuedAt.getTime() ?? 0);
      expect(Math.abs(delayMs - HOUR_MS)).toBeLessThan(1_000);
    });

    it('a completed job is shown with its result', async () => {
      const jobId = await add('a');
      await queue.startWorker();
      await untilEnded(jobId);
      expect(await queue.jobLookup.find(jobId)).toMatchObject({
        state: 'completed',
        startedAt: expect.any(Date),
        finishedAt: expect.any(Date),
        tries: 1,
        ending: { jobId, state: 'completed', result: { outcome: 'success', errorCode: '' } },
      });
    });

    it('a dead letter is shown with its reason and its failed tries', async () => {
      queue.answer = () => failure('container_mismatch', 'another game’s container');
      const jobId = await add('a');
      await queue.startWorker();
      await untilEnded(jobId);
      expect(await queue.jobLookup.find(jobId)).toMatchObject({
        gameId: 'a',
        state: 'failed',
        tries: 1,
        ending: { state: 'failed', reason: 'container_mismatch: another game’s container' },
        attempts: [{ code: 'container_mismatch' }],
        nextTryAt: null,
      });
    });

    it('a replayed job is shown as waiting, with no tries used', async () => {
      queue.answer = () => failure('container_mismatch', 'another game’s container');
      const jobId = await add('a');
      await queue.startWorker();
      await untilEnded(jobId);
      await queue.stopWorker();
      await queue.deadLetters.replay(jobId);
      expect(await queue.jobLookup.find(jobId)).toMatchObject({
        state: 'waiting',
        tries: 0,
        attempts: [],
        ending: null,
      });
    });

    it.each(['unknown', 'meta', 'wait', 'id', 'x\0y', ''])('the job id %j finds no job', async (jobId) => {
      expect(await queue.jobLookup.find(jobId)).toBeUndefined();
    });
  });
}
