import type { Clock } from '../../../async/clock.js';
import type { FinishedSweep, ScheduleStatus, SweepSchedule } from '../../../retention/ports.js';
import { type JobQueue, type QueueReport, type QueueStore, STORE_CONCURRENCY } from '../store/queue-store.js';
import { readSchedule } from './ensure-schedule.js';
import { mapConcurrent } from '../../../async/map-concurrent.js';
import { createLazyQueue } from '../store/lazy-queue.js';
import { RETENTION_QUEUE, SWEEP_JOB } from '../names.js';

const ANSWER_LIMIT_MS = 1_000;
/** How many jobs to search for a finished sweep; the others found another sweep running, or are not sweeps. */
const NEWEST = 20;

interface Deps {
  readonly backend: Pick<QueueStore, 'queue'>;
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

/** Skips jobs that are not sweeps and jobs that cannot be parsed. */
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

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const isInstant = (value: unknown): boolean => typeof value === 'string' && !Number.isNaN(Date.parse(value));
const areNumbers = (value: Readonly<Record<string, unknown>>, names: readonly string[]): boolean =>
  names.every((name) => typeof value[name] === 'number');

/** Whether a job's return value is the report of a finished sweep: any client may have written it. */
function isFinishedSweep(value: unknown): value is FinishedSweep {
  if (!isObject(value) || !isInstant(value['asOf']) || !isInstant(value['finishedAt'])) return false;
  const kept = value['kept'];
  if (!areNumbers(value, ['stopped', 'planned']) || !isObject(kept)) return false;
  if (!areNumbers(kept, ['held', 'dead_letter', 'invalid_id'])) return false;
  switch (value['status']) {
    case 'done':
      return areNumbers(value, ['enqueued', 'coalesced', 'failed']);
    case 'refused':
      return areNumbers(value, ['maxShare']) && typeof value['reason'] === 'string';
    default:
      return false;
  }
}
