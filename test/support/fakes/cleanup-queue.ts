import {
  afterSweepId,
  deduplicationId,
  isFromSweep,
  isPersonal,
  storageProblem,
} from '../../../src/adapters/bullmq/producer/deduplication.js';
import { InvalidArgumentError, UnavailableError } from '../../../src/domain/errors.js';
import type { CleanupJobData, CleanupQueue, EnqueuedJob } from '../../../src/jobs/ports.js';
import { addFakeJob, type FakeJob, isLive, type PlatformState } from './state.js';

export function createFakeCleanupQueue(state: PlatformState): CleanupQueue {
  let closed = false;
  const liveUnder = (key: string): FakeJob | undefined =>
    [...state.jobs.values()].find((job) => job.key === key && isLive(job));

  function addUnder(key: string, data: CleanupJobData): EnqueuedJob {
    const live = liveUnder(key);
    if (live === undefined) {
      const { jobId } = addFakeJob(state, data, { key });
      return { jobId, gameId: data.gameId, state: 'waiting', coalesced: false };
    }
    return { jobId: live.jobId, gameId: data.gameId, state: live.state, coalesced: true };
  }

  /** A person does not wait for the next try, and takes a job over from the sweep unless it runs already. */
  function enqueueOne(data: CleanupJobData): EnqueuedJob {
    const key = deduplicationId(data.gameId);
    const live = liveUnder(key);
    if (live !== undefined && isPersonal(data.opSource)) {
      if (isFromSweep(live.data) && live.state === 'active') return addUnder(afterSweepId(data.gameId), data);
      const taken = isFromSweep(live.data) ? { data } : {};
      const hurried = live.state === 'delayed' ? { state: 'waiting' as const, nextTryAt: null } : {};
      state.setJob({ ...live, ...taken, ...hurried });
    }
    return addUnder(key, data);
  }

  return {
    enqueue: async (requests) => {
      if (closed) throw new UnavailableError('queue', 'the queue has been closed');
      const problem = requests.map(storageProblem).find((found) => found !== undefined);
      if (problem !== undefined) throw new InvalidArgumentError(problem);
      return requests.map(enqueueOne);
    },
    close: async () => {
      closed = true;
    },
  };
}
