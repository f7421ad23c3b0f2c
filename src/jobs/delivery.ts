import type { FailureCode } from '../domain/error-codes.js';
import type { Result } from '../domain/result.js';

/** One failed try of a job; kept with the job, so that dashboards and dead letters can show it. */
export interface FailedAttempt {
  readonly attempt: number;
  readonly code: FailureCode;
  readonly message: string;
  /** ISO 8601, by the worker's clock. */
  readonly at: string;
  /** Trace id of the try, or the empty string. */
  readonly traceId: string;
}

/** The end of a run of tries: the job became a dead letter. A replay begins the next run. */
interface RunEnd {
  /** The failed job's reason: `<code>: <message>`. */
  readonly reason: string;
  /** ISO 8601, by the worker's clock. */
  readonly at: string;
  /** How often a worker had vanished while it ran this job, since the job was added. */
  readonly crashes: number;
}

/** The tries of a job before it was a dead letter and then was replayed. */
export interface PreviousRun extends RunEnd {
  /** The newest failed tries, oldest first. */
  readonly attempts: readonly FailedAttempt[];
}

/** What is kept of a job between its tries; stored as the job's progress, so these names stay as they are. */
export interface AttemptHistory {
  /** Failed tries by code, all of them since the job was added or last replayed. */
  readonly counts: Readonly<Partial<Record<FailureCode, number>>>;
  /** When the first of them failed; ISO 8601 by the worker's clock; null before any failed. */
  readonly firstFailedAt: string | null;
  /** The newest failed tries, oldest first; at most `HISTORY_LENGTH`. */
  readonly attempts: readonly FailedAttempt[];
  /** Set when the job becomes a dead letter; a job that runs with it has been replayed. */
  readonly death: RunEnd | null;
  /** The newest `PREVIOUS_RUNS` runs that ended with a dead letter, oldest first. */
  readonly pastLives: readonly PreviousRun[];
}

export const HISTORY_LENGTH = 20;
export const PREVIOUS_RUNS = 5;
export const EMPTY_HISTORY: AttemptHistory = {
  counts: {},
  firstFailedAt: null,
  attempts: [],
  death: null,
  pastLives: [],
};

/** A job as it came out of the queue. Nothing in it can be trusted: any client of the queue may have written it. */
export interface Delivery {
  readonly jobId: string;
  readonly jobName: string;
  readonly payload: unknown;
  /** How often a worker has started this job, this time included. */
  readonly run: number;
  /** How often a worker vanished while it ran this job, since the job was added. */
  readonly crashes: number;
  /** The job's stored progress, unchecked. */
  readonly history: unknown;
}

/** What must happen to a job; the queue adapter does it. */
export type JobOutcome =
  | { readonly action: 'complete'; readonly result: Result }
  /** The job's engine cannot be used now: the job comes back after the delay, as if it had not been started. */
  | { readonly action: 'hold'; readonly delayMs: number }
  | { readonly action: 'retry'; readonly delayMs: number; readonly history: AttemptHistory }
  /** `reason` is the failed job's reason: `<code>: <message>`. */
  | { readonly action: 'dead_letter'; readonly reason: string; readonly history: AttemptHistory };

/** No work was done: the job goes back to the queue as if it had not been started. */
interface HandBack {
  readonly action: 'hand_back';
}

/** Runs a job and decides its outcome. Rejects only with the signal's reason (shutdown, job lock lost): then there is no outcome. */
export interface JobConsumer {
  readonly consume: (delivery: Delivery, signal: AbortSignal) => Promise<JobOutcome | HandBack>;
}
