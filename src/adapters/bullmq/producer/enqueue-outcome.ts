/** What became of a request that was just added: a job of its own, or a live one of the same game that it joins. */
import type { Job } from 'bullmq';
import type { CleanupJobData, EnqueuedJob } from '../../../jobs/ports.js';
import type { JobQueue } from '../store/queue-store.js';
import { afterSweepId, isFromSweep, isPersonal } from './deduplication.js';
import { jobStateOf } from '../store/job-state.js';
import { CLEANUP_JOB } from '../names.js';
import { isJobLost } from '../store/store-errors.js';

interface StoredRequest {
  readonly jobId: string;
  /** Stored with the job that this request made, if it made one; a sweep's request makes a job of this id. */
  readonly requestId: string;
}

type LiveJob = Job<unknown, unknown>;

/**
 * Reads the job back. A person's request that joined a live job makes it run now, and takes it over from the retention
 * sweep, whose jobs may decline what a person asked for; where such a job runs already, the request gets its own.
 */
export async function tellStored(
  queue: JobQueue,
  data: CleanupJobData,
  { jobId, requestId }: StoredRequest,
): Promise<EnqueuedJob> {
  const job = await queue.getJob(jobId);
  // Removed already: it can only have ended between the two steps.
  if (job === undefined) return { jobId, gameId: data.gameId, state: 'unknown', coalesced: false };
  // Its own: what was stored is a job that waits, however far it has come since.
  if (requestIdOf(job) === requestId) return { jobId, gameId: data.gameId, state: 'waiting', coalesced: false };
  if (isPersonal(data.opSource) && (await hurry(job, data)) === 'too late') return addBehind(queue, data, requestId);
  return { jobId, gameId: data.gameId, state: jobStateOf(await job.getState()), coalesced: true };
}

/** The same for a request of the sweep, which leaves a live job as it is. */
export async function tellSweep(
  queue: JobQueue,
  { gameId }: CleanupJobData,
  { jobId, requestId }: StoredRequest,
): Promise<EnqueuedJob> {
  if (jobId === requestId) return { jobId, gameId, state: 'waiting', coalesced: false };
  return { jobId, gameId, state: jobStateOf(await queue.getJobState(jobId)), coalesced: true };
}

/** `too late`: the sweep's job runs already, or has run, with the sweep's own data. */
async function hurry(job: LiveJob, data: CleanupJobData): Promise<'hurried' | 'too late'> {
  const isSweeps = isFromSweep(job.data);
  const state = jobStateOf(await job.getState());
  if (state !== 'delayed' && state !== 'waiting') return isSweeps ? 'too late' : 'hurried';
  try {
    // First, so that the run that is about to begin reads it.
    if (isSweeps) await job.updateData({ ...data });
    if (isSweeps) await job.changePriority({ priority: 0 });
    if (state === 'delayed') await job.promote();
  } catch (error) {
    // A worker was faster: the job runs, or has run, which is what was wanted.
    if (!isJobLost(error)) throw error;
  }
  // No longer waiting, it may have been read before its data was changed.
  return isSweeps && jobStateOf(await job.getState()) !== 'waiting' ? 'too late' : 'hurried';
}

/** A second job beside a running one: it finds the game's lease taken, and is tried again a moment later. */
async function addBehind(queue: JobQueue, data: CleanupJobData, requestId: string): Promise<EnqueuedJob> {
  const opts = { deduplication: { id: afterSweepId(data.gameId) }, requestId };
  const { id: jobId = '' } = await queue.add(CLEANUP_JOB, data, opts);
  const job = await queue.getJob(jobId);
  if (job === undefined || requestIdOf(job) === requestId) {
    return { jobId, gameId: data.gameId, state: 'waiting', coalesced: false };
  }
  await hurry(job, data);
  return { jobId, gameId: data.gameId, state: jobStateOf(await job.getState()), coalesced: true };
}

const requestIdOf = (job: LiveJob): unknown => ('requestId' in job.opts ? job.opts.requestId : undefined);
