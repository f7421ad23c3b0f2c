/** What became of a request that was just added: a job of its own, or a live one of the same game that it joins. */
import type { Job } from 'bullmq';
import type { CleanupJobData, EnqueuedJob } from '../../jobs/ports.js';
import type { JobQueue } from './backend.js';
import { isFromSweep } from './coalescing.js';
import { jobStateOf } from './job-state.js';
import { isNotOurs } from './store-errors.js';

interface StoredRequest {
  readonly jobId: string;
  /** Stored with the job that this request made, if it made one. */
  readonly requestId: string;
}

type LiveJob = Job<unknown, unknown>;

/**
 * Reads the job back. A person's request that joined a live job makes it run now, and takes it over from the retention
 * sweep, whose jobs may decline what a person asked for.
 */
export async function tellStored(
  queue: JobQueue,
  data: CleanupJobData,
  { jobId, requestId }: StoredRequest,
  personal: boolean,
): Promise<EnqueuedJob> {
  const job = await queue.getJob(jobId);
  // Removed already: it can only have ended between the two steps.
  if (job === undefined) return { jobId, gameId: data.gameId, state: 'unknown', coalesced: false };
  const coalesced = requestIdOf(job) !== requestId;
  if (coalesced && personal) await hurry(job, data);
  return { jobId, gameId: data.gameId, state: jobStateOf(await job.getState()), coalesced };
}

async function hurry(job: LiveJob, data: CleanupJobData): Promise<void> {
  const state = jobStateOf(await job.getState());
  if (state !== 'delayed' && state !== 'waiting') return;
  try {
    // First, so that the run that is about to begin reads it.
    if (isFromSweep(job.data)) await job.updateData({ ...data });
    if (state === 'delayed') await job.promote();
  } catch (error) {
    // A worker was faster: the job runs, or has run, which is what was wanted.
    if (!isNotOurs(error)) throw error;
  }
}

const requestIdOf = (job: LiveJob): unknown => ('requestId' in job.opts ? job.opts.requestId : undefined);
