import type { Processor, Queue, QueueEvents, Telemetry, Worker } from 'bullmq';
import type { Clock } from '../../../async/clock.js';
import { retryUntil } from '../../../async/retry-until.js';
import { messageOf, MissingRightError, UnavailableError } from '../../../domain/errors.js';
import type { FailedSet } from './failed-set.js';
import type { QueueName } from '../names.js';
import { isMissingRight, isTransient } from './store-errors.js';

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
  /** Default: the queue of cleanups. */
  readonly name?: QueueName | undefined;
  /** Gets every error event of what is opened, for as long as it lives. */
  readonly onError: (cause: unknown) => void;
  readonly telemetry?: Telemetry | undefined;
}

/** What the queue adapter reports to the log; members must not throw. An outage is reported once, however many calls fail. */
export interface QueueReport {
  /** The queue's store stopped answering. */
  readonly unavailable: (cause: unknown) => void;
  /** The store answers again, after `outageMs`. */
  readonly recovered: (outageMs: number) => void;
  /** Something else failed; no job is lost, the queue goes on. */
  readonly fault: (what: string, cause: unknown) => void;
  /** A job's lock expired or was taken; the job's work was told to stop. */
  readonly lockLost: (jobId: string) => void;
  /** A job or schedule that could not have gone on was repaired; `how` says what was done. */
  readonly repaired: (jobId: string, how: string) => void;
}

/**
 * The two stores in which BullMQ can keep the queues. `queue`, `worker` and `events` resolve to objects that have reached
 * the store once, because BullMQ recovers from an outage only after that. They reject with `UnavailableError` when the
 * store is out of reach; the half-made object is closed, and the caller may call again.
 * Callers take the members they need with `Pick`.
 */
export interface QueueStore {
  readonly kind: 'redis' | 'postgres';
  readonly queue: (options: OpenOptions) => Promise<JobQueue>;
  /** The worker does not take jobs before its `run` is called. */
  readonly worker: (processor: JobProcessor, settings: WorkerSettings, options: OpenOptions) => Promise<JobWorker>;
  /** Emits no events before its `run` is called. */
  readonly events: (options: OpenOptions) => Promise<JobEvents>;
  /** Replaces the unreadable JSON in a stored job; `false`: all of it is readable. Default: a job in the queue of cleanups. */
  readonly repairJob: (jobId: string, queue?: QueueName) => Promise<boolean>;
  readonly failedSet: FailedSet;
  /** Rejects while the store refuses writes, although it may answer reads: a replica after a failover, a full store. */
  readonly checkWritable: () => Promise<void>;
  /** Runs `work` while no other process changes the schedule of sweeps. */
  readonly withScheduleLock: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Hides the round-trip time of single requests without using up the connections (4) that other callers share. */
export const STORE_CONCURRENCY = 4;

/** How long to wait for the store at the start, and where to report that the program waits. */
export interface Waiting {
  readonly clock: Clock;
  readonly report: QueueReport;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

const RETRY_MS = 100;
/** A connection that is still being made is not reported as an outage. */
const QUIET_MS = 1_000;

/** A right that the role lacks at the start is a mistake of the set-up, which waiting does not correct. */
const mayPass = (cause: unknown): boolean =>
  isTransient(cause) && !isMissingRight(cause) && !(cause instanceof MissingRightError);

/**
 * Repeats `attempt` until it succeeds. Rejects with `UnavailableError` at the deadline, with the signal's reason when that is
 * aborted, and at once with an error that would come back. An outage is retried, and so is a lock time-out while another
 * process creates the tables. Reports once that it waits, and once that the wait is over.
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
      mayPass,
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
    if (!mayPass(cause)) throw cause;
    const message = `the queue's store did not answer for ${deadlineMs} ms: ${messageOf(cause)}`;
    throw new UnavailableError('queue', message, { cause });
  }
}

interface Opened {
  readonly waitUntilReady: () => Promise<unknown>;
  readonly close: () => Promise<void>;
}

/** Waits until a new object has reached the store; BullMQ never reconnects an object whose first connection failed. */
export async function whenReady<T extends Opened>(opened: T): Promise<T> {
  try {
    await opened.waitUntilReady();
    return opened;
  } catch (cause) {
    opened.close().catch(() => undefined);
    throw new UnavailableError('queue', `the queue's store does not answer: ${messageOf(cause)}`, { cause });
  }
}
