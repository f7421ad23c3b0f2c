import type { Clock } from '../../../async/clock.js';
import type { ScheduleStatus, SweepSchedule } from '../../../retention/ports.js';
import { type JobQueue, type QueueBackend, STORE_CONCURRENCY } from '../store/queue-store.js';
import { readSchedule } from './ensure-schedule.js';
import { mapConcurrent } from '../../../async/map-concurrent.js';
import { createLazyQueue } from '../store/lazy-queue.js';
import { RETENTION_QUEUE, SWEEP_JOB } from '../names.js';
import type { QueueReport } from '../store/queue-report.js';
import { isFinishedSweep } from './finished-sweep.js';

const ANSWER_LIMIT_MS = 1_000;
/** How far back to look for a sweep that came to its end; the others found one under way, or were none. */
const NEWEST = 20;

interface Deps {
  readonly backend: Pick<QueueBackend, 'queue'>;
  readonly clock: Clock;
  readonly report: QueueReport;
}

export function createScheduleStatus(deps: Deps): SweepSchedule & { readonly close: () => Promise<void> } {
  const { ask, close } = createLazyQueue({ ...deps, name: RETENTION_QUEUE, what: 'the schedule of sweeps' });
  return {
    close,
    status: () =>
      ask(ANSWER_LIMIT_MS, async (queue) => {
        const [schedule, completed, failed] = await Promise.all([
          readSchedule(queue),
          newestSweeps(queue, 'completed'),
          newestSweeps(queue, 'failed'),
        ]);
        return {
          everyMs: schedule?.everyMs ?? null,
          next: schedule === undefined ? null : new Date(schedule.nextMs),
          last: completed.map(({ returnvalue }) => returnvalue).find(isFinishedSweep) ?? null,
          lastFailure: failureOf(failed[0]),
        };
      }),
  };
}

type StoredJob = NonNullable<Awaited<ReturnType<JobQueue['getJob']>>>;

/** Other jobs are told to their senders, and what cannot be read tells nothing. */
async function newestSweeps(queue: JobQueue, state: 'completed' | 'failed'): Promise<readonly StoredJob[]> {
  const ids = await queue.getRanges([state], 0, NEWEST - 1, false);
  const jobs = await mapConcurrent(ids, STORE_CONCURRENCY, (id) => queue.getJob(id).catch(unlessUnreadable));
  return jobs.filter((job) => job !== undefined).filter(({ name }) => name === SWEEP_JOB);
}

function unlessUnreadable(error: unknown): undefined {
  if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError) return;
  throw error;
}

function failureOf(job: StoredJob | undefined): ScheduleStatus['lastFailure'] {
  const at = new Date(job?.finishedOn ?? Number.NaN);
  if (job === undefined || Number.isNaN(at.getTime())) return null;
  return { at, reason: job.failedReason ?? '' };
}
