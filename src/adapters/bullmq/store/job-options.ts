import type { JobsOptions, WorkerOptions } from 'bullmq';
import type { QueueBackend, WorkerSettings } from './queue-store.js';

const DAY_S = 24 * 3_600;

/**
 * Completed jobs are kept for a day, for whoever asks how they ended; the operation log keeps what was done for good. In
 * Redis ten thousand at most, because they cost memory; in PostgreSQL without a count, because BullMQ keeps to one by
 * sorting all that are kept each time a job completes.
 */
const KEEP_COMPLETED = { redis: { count: 10_000, age: DAY_S }, postgres: { age: DAY_S } } as const;

type StoreKind = QueueBackend['kind'];

// Any job outlives this; BullMQ's own limits must never end one.
const WITHOUT_END = 1_000_000;
const OWN_BACKOFF = 'runtime-cleanup';
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 60_000;
const BACKOFF_SPREAD_MS = 500;
/** After an error of the store BullMQ asks again after so long; its default of 15 s is far from "recovers by itself". */
export const RETRY_STORE_MS = 1_000;

/** What a job of ours is stored with. The worker does not rely on it: others add jobs without. */
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

/** When BullMQ retries a job on its own account, because a settlement could not be written. Whole milliseconds, always. */
export function backoffStrategy(attemptsMade: number): number {
  const doublings = Number.isFinite(attemptsMade) ? Math.min(Math.max(0, Math.trunc(attemptsMade) - 1), 10) : 0;
  return (
    Math.min(FIRST_BACKOFF_MS * 2 ** doublings, LONGEST_BACKOFF_MS) + Math.floor(Math.random() * BACKOFF_SPREAD_MS)
  );
}

/** The parts of a claimed job that decide what BullMQ does to it behind the processor's back. */
export interface ClaimedJob {
  opts: JobsOptions;
  deferredFailure?: string;
}

/**
 * How a sweep ends. One that met an outage is tried again by BullMQ for some minutes; by then the schedule's
 * next one is not far. Enough of them are kept to see how the last ones went.
 */
export const SWEEP_TERMS = {
  attempts: 10,
  backoff: { type: 'exponential', delay: FIRST_BACKOFF_MS },
  removeOnComplete: { count: 100 },
  removeOnFail: { count: 100 },
} as const satisfies JobsOptions;

/**
 * Takes a claimed job out of its producer's hands: how often it may run, how long it is kept and what becomes of it is
 * the worker's business, whatever was stored with it. BullMQ reads these from the job in memory. Returns why BullMQ
 * would have failed the job without running it, if it would have.
 */
export function overrideJobOptions(job: ClaimedJob, kind: StoreKind): string | undefined {
  return takeChargeOn(job, {
    attempts: WITHOUT_END,
    backoff: { type: OWN_BACKOFF },
    removeOnFail: false,
    removeOnComplete: KEEP_COMPLETED[kind],
  });
}

/** The same of a job in the queue of sweeps. */
export function takeChargeOfSweep(job: ClaimedJob): void {
  takeChargeOn(job, SWEEP_TERMS);
}

function takeChargeOn(job: ClaimedJob, terms: JobsOptions): string | undefined {
  const { telemetry } = job.opts;
  job.opts = { ...job.opts, ...terms, stackTraceLimit: 1, lifo: false };
  delete job.opts.telemetry;
  const metadata = traceMetadata(telemetry?.metadata);
  if (metadata !== undefined) job.opts.telemetry = { metadata };
  const reason = job.deferredFailure;
  delete job.deferredFailure;
  return reason;
}

/** Trace context is parsed outside any guard of BullMQ's: text that does not parse would end the worker's loop. */
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
