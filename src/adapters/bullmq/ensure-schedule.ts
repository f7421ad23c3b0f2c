import type { JobSchedulerTemplateOptions } from 'bullmq';
import type { JobQueue, QueueBackend } from './backend.js';
import { SWEEP_JOB, SWEEP_SCHEDULER } from './names.js';

/** Enough to see how the last ones went. */
const KEPT = { count: 100 };

/**
 * A sweep that failed is tried again by BullMQ, for about a quarter of an hour; by then the schedule's next one is not
 * far. Without `omitContext` all sweeps, and all that they enqueue, would share one trace for ever.
 */
const TEMPLATE: JobSchedulerTemplateOptions = {
  attempts: 10,
  backoff: { type: 'exponential', delay: 1_000 },
  removeOnComplete: KEPT,
  removeOnFail: KEPT,
  telemetry: { omitContext: true },
};

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

/**
 * Makes the schedule of sweeps unless it is there. However many processes ask at once, there is one schedule: BullMQ's
 * own upsert on PostgreSQL would leave several pending jobs, or a deadlock, so there one asks at a time.
 */
export async function ensureSchedule({ queue, backend, everyMs, mayChange }: Options): Promise<void> {
  const isThere = async (): Promise<boolean> => {
    const found = await queue.getJobScheduler(SWEEP_SCHEDULER);
    return found !== undefined && (found.every === everyMs || !mayChange);
  };
  if ((await queue.getGlobalConcurrency()) !== SWEEPS_AT_A_TIME) await queue.setGlobalConcurrency(SWEEPS_AT_A_TIME);
  if (await isThere()) return;
  await backend.exclusively(SWEEP_SCHEDULER, async () => {
    if (await isThere()) return;
    await queue.upsertJobScheduler(SWEEP_SCHEDULER, { every: everyMs }, { name: SWEEP_JOB, data: {}, opts: TEMPLATE });
  });
}
