import type { Job } from 'bullmq';
import type { Clock } from '../../../async/clock.js';
import type { FailedAttempt } from '../../../jobs/delivery.js';
import { readHistory, sinceReplay } from '../../../jobs/attempt-history.js';
import type { JobLookup, JobView } from '../../../jobs/ports.js';
import type { JobQueue, QueueStore } from '../store/queue-store.js';
import { textIn } from '../dead-letters/to-dead-letter.js';
import { boundedMs } from '../store/failed-set.js';
import { endingOf } from './job-result.js';
import { jobStateOf } from '../store/job-state.js';
import { createLazyQueue } from '../store/lazy-queue.js';
import type { QueueReport } from '../store/queue-store.js';
import { isJobId } from '../store/stored-text.js';

const ANSWER_LIMIT_MS = 1_000;

interface Deps {
  readonly backend: Pick<QueueStore, 'queue' | 'repairJob'>;
  readonly clock: Clock;
  readonly report: QueueReport;
}

type StoredJob = Job<unknown, unknown>;

export function createJobLookup(deps: Deps): JobLookup & { readonly close: () => Promise<void> } {
  const { ask, close } = createLazyQueue({ ...deps, what: 'the look-up of jobs' });

  async function find(queue: JobQueue, jobId: string): Promise<JobView | undefined> {
    // First, because in Redis other things than jobs are kept under names like those of jobs.
    const state = jobStateOf(await queue.getJobState(jobId));
    if (state === 'unknown') return undefined;
    const job = await readable(queue, jobId);
    return job === undefined ? undefined : viewOf(jobId, job, state);
  }

  /** What was stored by somebody and is no JSON is replaced, as the worker does. */
  async function readable(queue: JobQueue, jobId: string): Promise<StoredJob | undefined> {
    try {
      return await queue.getJob(jobId);
    } catch (error) {
      if (!(error instanceof SyntaxError) || !(await deps.backend.repairJob(jobId))) throw error;
      return queue.getJob(jobId);
    }
  }

  return {
    close,
    find: async (jobId) => (isJobId(jobId) ? ask(ANSWER_LIMIT_MS, (queue) => find(queue, jobId)) : undefined),
  };
}

function viewOf(jobId: string, job: StoredJob, said: JobView['state']): JobView {
  const ending = endingOf(jobId, job) ?? null;
  // Put back, or ended, between the question for its state and the one for the rest.
  const state = ending?.state === 'completed' || ending?.state === 'failed' ? ending.state : liveState(said);
  const attempts = attemptsOf(job, state);
  return {
    jobId,
    gameId: textIn(job.data, 'gameId'),
    opSource: textIn(job.data, 'opSource'),
    sourceRef: textIn(job.data, 'sourceRef'),
    state,
    enqueuedAt: new Date(boundedMs(job.timestamp)),
    startedAt: instant(job.processedOn),
    finishedAt: ending === null ? null : instant(job.finishedOn),
    nextTryAt: state === 'delayed' ? new Date(boundedMs(delayedAtMs(job, attempts) + job.delay)) : null,
    tries: Math.max(0, Math.trunc(boundedMs(job.attemptsStarted))),
    attempts,
    ending,
  };
}

const liveState = (said: JobView['state']): JobView['state'] =>
  said === 'completed' || said === 'failed' ? 'waiting' : said;

/** Those of its present life: a job that was put back has not failed in it yet. */
function attemptsOf(job: StoredJob, state: JobView['state']): readonly FailedAttempt[] {
  const history = readHistory(job.progress);
  return (state === 'failed' ? history : sinceReplay(history, job.stalledCounter)).attempts;
}

/** A delay counts from when the job was put off: after its last failed try, or when it was added. */
function delayedAtMs({ timestamp, processedOn }: StoredJob, attempts: readonly FailedAttempt[]): number {
  const lastTryMs = Date.parse(attempts.at(-1)?.at ?? '');
  return Number.isNaN(lastTryMs) ? (processedOn ?? timestamp) : lastTryMs;
}

const instant = (ms: number | null | undefined): Date | null =>
  ms === undefined || ms === null ? null : new Date(boundedMs(ms));
