import type { Job } from 'bullmq';
import type { JobWorker } from '../store/queue-store.js';
import { LibraryChangedError } from '../../../domain/errors.js';

type ClaimedJob = Pick<Job<unknown>, 'opts' | 'repeatJobKey'>;

/** BullMQ's hook for subclasses, protected there; it makes each claimed job before anything looks at it. */
interface ClaimHook {
  createJob?: (data: unknown, jobId: string) => ClaimedJob;
  nextJobFromJobData?: (data: unknown, jobId: string, token: string) => Promise<ClaimedJob | undefined>;
}

/**
 * Keeps a job running that says it belongs to a scheduler and does not say to what schedule. BullMQ would try to add the
 * next job of that schedule, fail, and drop the claimed one: found stalled, claimed and dropped again for ever.
 */
export function guardClaims(worker: JobWorker): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- protected, so not part of the type seen from here
  const hook = worker as unknown as ClaimHook;
  const create = hook.createJob?.bind(worker);
  const next = hook.nextJobFromJobData?.bind(worker);
  if (create === undefined || next === undefined) {
    throw new LibraryChangedError('bullmq', 'Worker.createJob or Worker.nextJobFromJobData');
  }
  const unschedulable = new Set<string>();
  hook.createJob = (data, jobId) => {
    const job = create(data, jobId);
    const repeat = 'repeat' in job.opts ? job.opts.repeat : undefined;
    if (!hasSchedule(repeat) || unschedulable.has(jobId)) delete job.repeatJobKey;
    return job;
  };
  // A schedule of the right shape may still be none (no cron expression, no such time zone): then the job runs without.
  hook.nextJobFromJobData = async (data, jobId, token) => {
    const job = await next(data, jobId, token);
    if (job !== undefined || typeof data !== 'object' || data === null) return job;
    unschedulable.add(jobId);
    try {
      return await next(data, jobId, token);
    } finally {
      unschedulable.delete(jobId);
    }
  };
}

function hasSchedule(repeat: unknown): boolean {
  if (typeof repeat !== 'object' || repeat === null) return false;
  const every = 'every' in repeat ? repeat.every : undefined;
  const pattern = 'pattern' in repeat ? repeat.pattern : undefined;
  return (typeof every === 'number' && every > 0) !== (typeof pattern === 'string' && pattern !== '');
}
