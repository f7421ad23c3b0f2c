/** What became of a request that was just added: a job of its own, or a live one of the same game that it joins. */
import type { Job } from 'bullmq';
import type { CleanupJobData, EnqueuedJob } from '../../jobs/ports.js';
import type { JobQueue } from './backend.js';
import { afterSweepId, isFromSweep } from './coalescing.js';
import { jobStateOf } from './job-state.js';
import { CLEANUP_JOB } from './names.js';
import { isNotOurs } from './store-errors.js';

interface StoredRequest {
  readonly jobId: string;
  /** Stored with the job that this request made, if it made one. */
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
  personal: boolean,
): Promise<EnqueuedJob> {
  const job = await queue.getJob(jobId);
  // Removed already: it can only have ended between the two steps.
  if (job === undefined) return { jobId, gameId: data.gameId, state: 'unknown', coalesced: false };
  // Its own: what was stored is a job that waits, however far it has come since.
  if (requestIdOf(job) === requestId) return { jobId, gameId: data.gameId, state: 'waiting', coalesced: false };
  if (personal && (await hurry(job, data)) === 'too late') return addBehind(queue, data);
  return { jobId, gameId: data.gameId, state: jobStateOf(await job.getState()), coalesced: true };
}

/** `too late`: the sweep's job runs already, with the sweep's own data. */
async function hurry(job: LiveJob, data: CleanupJobData): Promise<'hurried' | 'too late'> {
  const isSweeps = isFromSweep(job.data);
  const state = jobStateOf(await job.getState());
  if (state === 'active' && isSweeps) return 'too late';
  if (state !== 'delayed' && state !== 'waiting') return 'hurried';
  try {
    // First, so that the run that is about to begin reads it.
    if (isSweeps) await job.updateData({ ...data });
    if (state === 'delayed') await job.promote();
    else if (isSweeps) await job.changePriority({ priority: 0 });
  } catch (error) {
    // A worker was faster: the job runs, or has run, which is what was wanted.
    if (!isNotOurs(error)) throw error;
  }
  // Running by now, it may have been read before its data was changed.
  return isSweeps && (await job.getState()) === 'active' ? 'too late' : 'hurried';
}

/** A second job beside a running one: it finds the game's lease taken, and is tried again a moment later. */
async function addBehind(queue: JobQueue, data: CleanupJobData): Promise<EnqueuedJob> {
  const job = await queue.add(CLEANUP_JOB, data, { deduplication: { id: afterSweepId(data.gameId) } });
  const jobId = job.id ?? '';
  return { jobId, gameId: data.gameId, state: jobStateOf(await queue.getJobState(jobId)), coalesced: false };
}

const requestIdOf = (job: LiveJob): unknown => ('requestId' in job.opts ? job.opts.requestId : undefined);
