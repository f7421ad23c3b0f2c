/** The outcome of a request that was just added: a job of its own, or a live job of the same game that it joins. */
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
export async function outcomeOf(
  queue: JobQueue,
  data: CleanupJobData,
  { jobId, requestId }: StoredRequest,
): Promise<EnqueuedJob> {
  const job = await queue.getJob(jobId);
  // The job was removed already, so it ended between the two steps.
  if (job === undefined) return { jobId, gameId: data.gameId, state: 'unknown', coalesced: false };
  // This request's own job: it was stored as a waiting one, and may have been started since.
  if (requestIdOf(job) === requestId) return { jobId, gameId: data.gameId, state: 'waiting', coalesced: false };
  if (isPersonal(data.opSource) && (await runNow(job, data)) === 'too late') return addBeside(queue, data, requestId);
  return { jobId, gameId: data.gameId, state: jobStateOf(await job.getState()), coalesced: true };
}

/** The same for a request of the sweep, which does not change a live job. */
export async function outcomeOfSweep(
  queue: JobQueue,
  { gameId }: CleanupJobData,
  { jobId, requestId }: StoredRequest,
): Promise<EnqueuedJob> {
  if (jobId === requestId) return { jobId, gameId, state: 'waiting', coalesced: false };
  return { jobId, gameId, state: jobStateOf(await queue.getJobState(jobId)), coalesced: true };
}

/** Makes a live job run now. `too late`: the sweep's job runs already, or has run, with the sweep's own data. */
async function runNow(job: LiveJob, data: CleanupJobData): Promise<'runs now' | 'too late'> {
  const isSweeps = isFromSweep(job.data);
  const state = jobStateOf(await job.getState());
  if (state !== 'delayed' && state !== 'waiting') return isSweeps ? 'too late' : 'runs now';
  try {
    // The data first, so that the run that is about to begin reads it.
    if (isSweeps) await job.updateData({ ...data });
    if (isSweeps) await job.changePriority({ priority: 0 });
    if (state === 'delayed') await job.promote();
  } catch (error) {
    // A worker was faster: the job runs, or has run, as the request wanted.
    if (!isJobLost(error)) throw error;
  }
  // A job that no longer waits may have been read before its data was changed.
  return isSweeps && jobStateOf(await job.getState()) !== 'waiting' ? 'too late' : 'runs now';
}

/** Adds a second job beside a running one: it finds the game's lease taken, and is retried a moment later. */
async function addBeside(queue: JobQueue, data: CleanupJobData, requestId: string): Promise<EnqueuedJob> {
  const opts = { deduplication: { id: afterSweepId(data.gameId) }, requestId };
  const { id: jobId = '' } = await queue.add(CLEANUP_JOB, data, opts);
  const job = await queue.getJob(jobId);
  if (job === undefined || requestIdOf(job) === requestId) {
    return { jobId, gameId: data.gameId, state: 'waiting', coalesced: false };
  }
  await runNow(job, data);
  return { jobId, gameId: data.gameId, state: jobStateOf(await job.getState()), coalesced: true };
}

const requestIdOf = (job: LiveJob): unknown => ('requestId' in job.opts ? job.opts.requestId : undefined);
