import type { JobSchedulerTemplateOptions } from 'bullmq';
import type { JobQueue, QueueBackend } from '../store/queue-store.js';
import { SWEEP_TERMS } from '../store/job-options.js';
import { SWEEP_JOB, SWEEP_SCHEDULER } from '../names.js';

/** Without `omitContext` all sweeps, and all that they enqueue, would share one trace for ever. */
const TEMPLATE: JobSchedulerTemplateOptions = { ...SWEEP_TERMS, telemetry: { omitContext: true } };

/** Each sweep looks at all records, so two at a time would only do the same work twice. */
const SWEEPS_AT_A_TIME = 1;

interface Options {
  readonly queue: JobQueue;
  readonly backend: Pick<QueueBackend, 'exclusively'>;
  readonly everyMs: number;
  /**
   * Whether a schedule of another interval gives way. For a process that has just started: its setting is the newest.
   * Later on it only makes what is missing, or two processes of different settings would take turns for ever.
   */
  readonly mayChange: boolean;
}

/** The schedule of sweeps as it is stored. */
export interface StoredSchedule {
  readonly everyMs: number;
  /** The slot of the job that is pending, or about to be claimed; part of that job's id. */
  readonly nextMs: number;
}

/**
 * Makes the schedule of sweeps unless it is there. However many processes ask at once, there is one schedule: BullMQ's
 * own upsert on PostgreSQL would leave several pending jobs, or a deadlock, so there one asks at a time.
 */
export async function ensureSchedule({ queue, backend, everyMs, mayChange }: Options): Promise<void> {
  const isThere = async (): Promise<boolean> => {
    const found = await readSchedule(queue);
    return found !== undefined && (found.everyMs === everyMs || !mayChange);
  };
  if ((await queue.getGlobalConcurrency()) !== SWEEPS_AT_A_TIME) await queue.setGlobalConcurrency(SWEEPS_AT_A_TIME);
  if (await isThere()) return;
  await backend.exclusively(SWEEP_SCHEDULER, async () => {
    if (!(await isThere())) await makeSchedule(queue, everyMs);
  });
}

export async function makeSchedule(queue: JobQueue, everyMs: number): Promise<void> {
  await queue.upsertJobScheduler(SWEEP_SCHEDULER, { every: everyMs }, { name: SWEEP_JOB, data: {}, opts: TEMPLATE });
}

/** Any client may write under that id; what would bring no sweeps for ever counts as none. */
export async function readSchedule(queue: JobQueue): Promise<StoredSchedule | undefined> {
  const found = await queue.getJobScheduler(SWEEP_SCHEDULER).catch((error: unknown) => {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  });
  if (found?.name !== SWEEP_JOB || found.pattern !== undefined) return undefined;
  const { every = Number.NaN, next } = found;
  if (!Number.isSafeInteger(every) || every <= 0) return undefined;
  // Without a slot in the listing of schedules BullMQ takes it for none.
  return typeof next === 'number' && Number.isFinite(next) ? { everyMs: every, nextMs: next } : undefined;
}
