import { sinceReplay } from '../../../src/jobs/attempt-history.js';
import type { JobLookup } from '../../../src/jobs/ports.js';
import { jobText, type PlatformState } from './state.js';

export function createFakeJobLookup({ jobs }: PlatformState): JobLookup {
  return {
    find: async (jobId) => {
      const job = jobs.get(jobId);
      if (job === undefined) return undefined;
      const { state, enqueuedAt, startedAt, finishedAt, nextTryAt, tries, history, ending } = job;
      return {
        jobId,
        gameId: jobText(job, 'gameId'),
        opSource: jobText(job, 'opSource'),
        sourceRef: jobText(job, 'sourceRef'),
        state,
        enqueuedAt,
        startedAt,
        finishedAt,
        nextTryAt,
        tries,
        attempts: (state === 'failed' ? history : sinceReplay(history, 0)).attempts,
        ending,
      };
    },
  };
}
