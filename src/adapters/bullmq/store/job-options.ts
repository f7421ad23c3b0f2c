import type { JobsOptions, WorkerOptions } from 'bullmq';
import type { QueueStore, WorkerSettings } from './queue-store.js';

const DAY_S = 24 * 3_600;

/**
 * Completed jobs are kept for a day, so that a requester can ask for their result; the operation log keeps operations
 * without a limit. In Redis at most ten thousand are kept, because they use memory. In PostgreSQL their number is not
 * limited, because BullMQ would sort all kept jobs each time a job completes.
 */
const KEEP_COMPLETED = { redis: { count: 10_000, age: DAY_S }, postgres: { age: DAY_S } } as const;

type StoreKind = QueueStore['kind'];

// BullMQ's own limits must never end a job: only the retry policy decides that.
const WITHOUT_END = 1_000_000;
const OWN_BACKOFF = 'runtime-cleanup';
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 60_000;
const BACKOFF_SPREAD_MS = 500;
/** How long a worker waits after an error of the store; BullMQ's default of 15 s would delay the recovery. */
export const RETRY_STORE_MS = 1_000;

/** The options that this program stores with a job. The worker does not rely on them: other clients add jobs without. */
export function jobOptionsFor(kind: StoreKind): JobsOptions {
  return { removeOnComplete: KEEP_COMPLETED[kind], removeOnFail: false };
}

export function workerOptionsFor({
  concurrency,
  lockMs,
  stallCheckMs,
}: WorkerSettings): Omit<WorkerOptions, 'connection'> {
  return {
    autorun: false,
    concurrency,
    lockDuration: lockMs,
    stalledInterval: stallCheckMs,
    maxStalledCount: WITHOUT_END,
    runRetryDelay: RETRY_STORE_MS,
    settings: { backoffStrategy },
  };
}

/** The delay when BullMQ itself retries a job, because its outcome could not be written. Always whole milliseconds. */
export function backoffStrategy(attemptsMade: number): number {
  const doublings = Number.isFinite(attemptsMade) ? Math.min(Math.max(0, Math.trunc(attemptsMade) - 1), 10) : 0;
  return (
    Math.min(FIRST_BACKOFF_MS * 2 ** doublings, LONGEST_BACKOFF_MS) + Math.floor(Math.random() * BACKOFF_SPREAD_MS)
  );
}

/** The parts of a claimed job that decide what BullMQ does with it without asking the processor. */
export interface ClaimedJob {
  opts: JobsOptions;
  deferredFailure?: string;
}

/**
 * BullMQ retries a sweep that failed in an outage for some minutes, until about the next sweep of the schedule. A hundred
 * ended sweeps are kept, enough to see the results of the last ones.
 */
export const SWEEP_JOB_OPTIONS = {
  attempts: 10,
  backoff: { type: 'exponential', delay: FIRST_BACKOFF_MS },
  removeOnComplete: { count: 100 },
  removeOnFail: { count: 100 },
} as const satisfies JobsOptions;

/**
 * Replaces the options that a producer stored with a claimed job: the worker alone decides how often a job may run and how
 * long it is kept. BullMQ reads these options from the job in memory. Returns the reason for which BullMQ would have failed
 * the job without running it; undefined for nearly all jobs.
 */
export function overrideJobOptions(job: ClaimedJob, kind: StoreKind): string | undefined {
  return overrideOptions(job, {
    attempts: WITHOUT_END,
    backoff: { type: OWN_BACKOFF },
    removeOnFail: false,
    removeOnComplete: KEEP_COMPLETED[kind],
  });
}

/** The same for a job in the queue of sweeps. */
export function overrideSweepOptions(job: ClaimedJob): void {
  overrideOptions(job, SWEEP_JOB_OPTIONS);
}

function overrideOptions(job: ClaimedJob, options: JobsOptions): string | undefined {
  const { telemetry } = job.opts;
  job.opts = { ...job.opts, ...options, stackTraceLimit: 1, lifo: false };
  delete job.opts.telemetry;
  const metadata = traceMetadata(telemetry?.metadata);
  if (metadata !== undefined) job.opts.telemetry = { metadata };
  const reason = job.deferredFailure;
  delete job.deferredFailure;
  return reason;
}

/** BullMQ parses the trace context without a try: text that does not parse would end the worker's loop. */
function traceMetadata(stored: unknown): string | undefined {
  if (typeof stored !== 'string') return undefined;
  try {
    const carrier: unknown = JSON.parse(stored);
    if (typeof carrier !== 'object' || carrier === null) return undefined;
    const texts = Object.entries(carrier).filter(([, value]) => typeof value === 'string');
    return texts.length === 0 ? undefined : JSON.stringify(Object.fromEntries(texts));
  } catch {
    return undefined;
  }
}
