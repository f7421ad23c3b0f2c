import type { Processor, Queue, QueueEvents, Telemetry, Worker } from 'bullmq';
import type { Clock } from '../../../async/clock.js';
import { retryUntil } from '../../../async/retry-until.js';
import { messageOf, UnavailableError } from '../../../domain/errors.js';
import type { FailedSet } from './failed-set.js';
import type { QueueName } from '../names.js';
import type { QueueReport } from './queue-report.js';
import { isPassing } from './store-errors.js';

export type JobQueue = Queue<unknown, unknown>;
export type JobWorker = Worker<unknown, unknown>;
export type JobEvents = QueueEvents;
type JobProcessor = Processor<unknown, unknown>;

export interface WorkerSettings {
  readonly concurrency: number;
  /** A job whose worker has not renewed its lock for so long is given to another one. */
  readonly lockMs: number;
  /** How often workers look for such jobs. */
  readonly stallCheckMs: number;
}

interface OpenOptions {
  /** The queue of cleanups where nothing is said. */
  readonly name?: QueueName | undefined;
  /** Gets every error event of what is opened, for as long as it lives. */
  readonly onError: (cause: unknown) => void;
  readonly telemetry?: Telemetry | undefined;
}

/**
 * The two stores BullMQ can keep the queues in. Members resolve to objects that have reached the store once,
 * which BullMQ needs to recover from any later outage, and reject with `UnavailableError` when it is out of reach: what
 * was half made is thrown away, ask again.
 */
export interface QueueBackend {
  readonly kind: 'redis' | 'postgres';
  readonly queue: (options: OpenOptions) => Promise<JobQueue>;
  /** The worker does not take jobs before its `run` is called. */
  readonly worker: (processor: JobProcessor, settings: WorkerSettings, options: OpenOptions) => Promise<JobWorker>;
  /** Tells of nothing before its `run` is called. */
  readonly events: (options: OpenOptions) => Promise<JobEvents>;
  /** Replaces what no JSON reader can read in a stored job; `false`: there was nothing to replace. In the queue of cleanups where none is named. */
  readonly mend: (jobId: string, queue?: QueueName) => Promise<boolean>;
  readonly failedSet: FailedSet;
  /** Runs `work` alone among all processes where the store would otherwise let them spoil each other's. */
  readonly exclusively: <T>(key: string, work: () => Promise<T>) => Promise<T>;
}

/** Hides the round-trip time of single requests without using up the connections (4) that other callers share. */
export const STORE_CONCURRENCY = 4;

/** For how long and how loudly to wait for the store before a backend is there. */
export interface Waiting {
  readonly clock: Clock;
  readonly report: QueueReport;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

const RETRY_MS = 100;
/** A connection that is just being made is no outage. */
const QUIET_MS = 1_000;

/**
 * Tries until it succeeds, the deadline passes (`UnavailableError`), the signal is aborted (its reason), or what comes back
 * would come back again: an outage passes, and so does a wait for another starter that took too long. Says once that it
 * waits, and once that waiting is over.
 */
export async function untilAnswered<T>(attempt: () => Promise<T>, waiting: Waiting): Promise<T> {
  const { clock, report, deadlineMs, signal } = waiting;
  let isReported = false;
  try {
    return await retryUntil(attempt, {
      clock,
      signal,
      everyMs: RETRY_MS,
      limitMs: deadlineMs,
      mayPass: isPassing,
      onFailed: (cause, waitedMs) => {
        if (isReported || waitedMs < QUIET_MS) return;
        report.unavailable(cause);
        isReported = true;
      },
      onRecovered: (waitedMs) => {
        if (isReported) report.recovered(Math.round(waitedMs));
      },
    });
  } catch (cause) {
    signal.throwIfAborted();
    if (!isPassing(cause)) throw cause;
    const message = `the queue's store did not answer for ${deadlineMs} ms: ${messageOf(cause)}`;
    throw new UnavailableError('queue', message, { cause });
  }
}

interface Opened {
  readonly waitUntilReady: () => Promise<unknown>;
  readonly close: () => Promise<void>;
}

/** Waits for what was just made to reach the store; BullMQ never revives an object whose first connection failed. */
export async function whenReady<T extends Opened>(opened: T): Promise<T> {
  try {
    await opened.waitUntilReady();
    return opened;
  } catch (cause) {
    opened.close().catch(() => undefined);
    throw new UnavailableError('queue', `the queue's store does not answer: ${messageOf(cause)}`, { cause });
  }
}
