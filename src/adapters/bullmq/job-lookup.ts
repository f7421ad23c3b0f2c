import type { Job } from 'bullmq';
import type { Clock } from '../../clock.js';
import { readHistory } from '../../jobs/history.js';
import type { JobLookup, JobView } from '../../jobs/ports.js';
import type { JobQueue, QueueBackend } from './backend.js';
import { textIn } from './dead-letter-of.js';
import { endingOf } from './job-ending.js';
import { jobStateOf } from './job-state.js';
import { createLazyQueue } from './lazy-queue.js';
import type { QueueReport } from './report.js';
import { isJobId } from './stored-text.js';

const ANSWER_LIMIT_MS = 1_000;

interface Deps {
  readonly backend: Pick<QueueBackend, 'queue'>;
  readonly clock: Clock;
  readonly report: QueueReport;
}

export function createJobLookup(deps: Deps): JobLookup & { readonly close: () => Promise<void> } {
  const { ask, close } = createLazyQueue({ ...deps, what: 'the look-up of jobs' });
  return {
    close,
    find: async (jobId) => (isJobId(jobId) ? ask(ANSWER_LIMIT_MS, (queue) => find(queue, jobId)) : undefined),
  };
}

async function find(queue: JobQueue, jobId: string): Promise<JobView | undefined> {
  // First, because in Redis other things than jobs are kept under names like those of jobs.
  const state = jobStateOf(await queue.getJobState(jobId));
  if (state === 'unknown') return undefined;
  const job = await queue.getJob(jobId);
  return job === undefined ? undefined : viewOf(jobId, job, state);
}

function viewOf(jobId: string, job: Job<unknown, unknown>, state: JobView['state']): JobView {
  const { attempts } = readHistory(job.progress);
  const hasEnded = state === 'completed' || state === 'failed';
  return {
    jobId,
    gameId: textIn(job.data, 'gameId'),
    opSource: textIn(job.data, 'opSource'),
    sourceRef: textIn(job.data, 'sourceRef'),
    state,
    enqueuedAt: new Date(job.timestamp),
    startedAt: instant(job.processedOn),
    finishedAt: hasEnded ? instant(job.finishedOn) : null,
    nextTryAt: state === 'delayed' ? new Date(delayedAtMs(job, attempts.at(-1)?.at) + job.delay) : null,
    tries: job.attemptsStarted,
    attempts,
    ending: hasEnded ? (endingOf(jobId, job) ?? null) : null,
  };
}

/** A delay counts from when the job was put off: after its last failed try, or when it was added. */
function delayedAtMs({ timestamp }: Pick<Job, 'timestamp'>, lastTryAt: string | undefined): number {
  const lastTryMs = Date.parse(lastTryAt ?? '');
  return Number.isNaN(lastTryMs) ? timestamp : lastTryMs;
}

const instant = (ms: number | null | undefined): Date | null => (ms === undefined || ms === null ? null : new Date(ms));
