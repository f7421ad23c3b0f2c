import { NotWaitedForError } from '../../../src/domain/errors.js';
import type { JobResult, JobWaiter } from '../../../src/jobs/ports.js';
import type { PlatformState } from './state.js';

export function createFakeJobWaiter({ jobs, onJobChange }: PlatformState): JobWaiter {
  const closing = new AbortController();
  const endingOf = (jobId: string): JobResult | null => {
    const job = jobs.get(jobId);
    return job === undefined ? { jobId, state: 'missing' } : job.ending;
  };

  return {
    wait: async (jobIds, onEnd, signal) => {
      const either = AbortSignal.any([signal, closing.signal]);
      either.throwIfAborted();
      const pending = new Set(jobIds);
      await new Promise<void>((resolve, reject) => {
        const look = (): void => {
          for (const jobId of pending) {
            const ending = endingOf(jobId);
            if (ending === null) continue;
            pending.delete(jobId);
            onEnd(ending);
          }
          if (pending.size === 0) finish(resolve);
        };
        const unsubscribe = onJobChange(look);
        const abort = (): void => finish(() => reject(either.reason as Error));
        const finish = (settle: () => void): void => {
          unsubscribe();
          either.removeEventListener('abort', abort);
          settle();
        };
        either.addEventListener('abort', abort);
        look();
      });
    },
    close: async () => {
      closing.abort(new NotWaitedForError('no longer waiting: the queue has been closed'));
    },
  };
}
