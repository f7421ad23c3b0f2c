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
    // The state first, because Redis keeps other things than jobs under names like those of jobs.
    const state = jobStateOf(await queue.getJobState(jobId));
    if (state === 'unknown') return undefined;
    const job = await readable(queue, jobId);
    return job === undefined ? undefined : viewOf(jobId, job, state);
  }

  /** Fields that another program stored and that are no JSON are replaced, as a worker does. */
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

function viewOf(jobId: string, job: StoredJob, readState: JobView['state']): JobView {
  const ending = endingOf(jobId, job) ?? null;
  // The job may have been put back, or have ended, between the two reads.
  const state = ending?.state === 'completed' || ending?.state === 'failed' ? ending.state : liveState(readState);
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

const liveState = (state: JobView['state']): JobView['state'] =>
  state === 'completed' || state === 'failed' ? 'waiting' : state;

/** The failed tries since the last replay: a job that was just put back has none yet. */
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
