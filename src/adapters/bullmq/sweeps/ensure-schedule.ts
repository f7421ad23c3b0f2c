import type { JobSchedulerTemplateOptions } from 'bullmq';
import type { JobQueue, QueueStore } from '../store/queue-store.js';
import { SWEEP_JOB_OPTIONS } from '../store/job-options.js';
import { SWEEP_JOB, SWEEP_SCHEDULER } from '../names.js';

/** Without `omitContext` all sweeps, and all jobs that they enqueue, would share one trace for ever. */
const TEMPLATE: JobSchedulerTemplateOptions = { ...SWEEP_JOB_OPTIONS, telemetry: { omitContext: true } };

/** Each sweep reads all records, so two concurrent sweeps would do the same work twice. */
const SWEEPS_AT_A_TIME = 1;

interface Options {
  readonly queue: JobQueue;
  readonly backend: Pick<QueueStore, 'withScheduleLock'>;
  readonly everyMs: number;
  /**
   * Whether to replace a schedule with another interval. A process does so once, at its start, when its setting is the newest.
   * Later it only creates a missing schedule; otherwise two processes with different settings would replace it in turns.
   */
  readonly mayChange: boolean;
}

/** The schedule of sweeps as it is stored. */
export interface StoredSchedule {
  readonly everyMs: number;
  /** The time slot of the pending job; part of that job's id. */
  readonly nextMs: number;
}

/**
 * Creates the schedule of sweeps unless it exists. Concurrent processes create one schedule: BullMQ's own upsert on
 * PostgreSQL would leave several pending jobs, or a deadlock, so it runs under a lock.
 */
export async function ensureSchedule({ queue, backend, everyMs, mayChange }: Options): Promise<void> {
  const exists = async (): Promise<boolean> => {
    const found = await readSchedule(queue);
    return found !== undefined && (found.everyMs === everyMs || !mayChange);
  };
  if ((await queue.getGlobalConcurrency()) !== SWEEPS_AT_A_TIME) await queue.setGlobalConcurrency(SWEEPS_AT_A_TIME);
  if (await exists()) return;
  await backend.withScheduleLock(async () => {
    if (!(await exists())) await createSchedule(queue, everyMs);
  });
}

export async function createSchedule(queue: JobQueue, everyMs: number): Promise<void> {
  await queue.upsertJobScheduler(SWEEP_SCHEDULER, { every: everyMs }, { name: SWEEP_JOB, data: {}, opts: TEMPLATE });
}

/** Any client may write a schedule under this id; one that would never start a sweep counts as missing. */
export async function readSchedule(queue: JobQueue): Promise<StoredSchedule | undefined> {
  const found = await queue.getJobScheduler(SWEEP_SCHEDULER).catch((error: unknown) => {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  });
  if (found?.name !== SWEEP_JOB || found.pattern !== undefined) return undefined;
  const { every = Number.NaN, next } = found;
  if (!Number.isSafeInteger(every) || every <= 0) return undefined;
  // BullMQ ignores a schedule that has no slot in its list of schedules.
  return typeof next === 'number' && Number.isFinite(next) ? { everyMs: every, nextMs: next } : undefined;
}
