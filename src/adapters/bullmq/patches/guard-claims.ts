/**
 * Replaces two protected methods of BullMQ's `Worker`: `createJob` and `nextJobFromJobData`. Checked on bullmq 6.7.0.
 * Remove this patch when `nextJobFromJobData` returns the claimed job although the next job of its schedule cannot be added.
 */
import type { Job } from 'bullmq';
import type { JobWorker } from '../store/queue-store.js';
import { LibraryChangedError } from '../../../domain/errors.js';

type ClaimedJob = Pick<Job<unknown>, 'opts' | 'repeatJobKey'>;

/** Both methods are called for each claimed job before any other code sees it. */
interface ClaimHooks {
  createJob?: (data: unknown, jobId: string) => ClaimedJob;
  nextJobFromJobData?: (data: unknown, jobId: string, token: string) => Promise<ClaimedJob | undefined>;
}

/**
 * Runs a job that names a scheduler without a usable schedule. BullMQ would try to add the next job of that schedule, fail,
 * and drop the claimed job, which would be found stalled, claimed and dropped again without end.
 */
export function guardClaims(worker: JobWorker): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the methods are protected, so the public type lacks them
  const hooks = worker as unknown as ClaimHooks;
  const create = hooks.createJob?.bind(worker);
  const next = hooks.nextJobFromJobData?.bind(worker);
  if (create === undefined || next === undefined) {
    throw new LibraryChangedError('bullmq', 'Worker.createJob or Worker.nextJobFromJobData');
  }
  const unschedulable = new Set<string>();
  hooks.createJob = (data, jobId) => {
    const job = create(data, jobId);
    const repeat = 'repeat' in job.opts ? job.opts.repeat : undefined;
    if (!hasSchedule(repeat) || unschedulable.has(jobId)) delete job.repeatJobKey;
    return job;
  };
  // A schedule of the right shape can still be unusable (no cron expression, no such time zone); then the job runs without it.
  hooks.nextJobFromJobData = async (data, jobId, token) => {
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
