import type { FailureCode } from '../domain/error-codes.js';
import type { Result } from '../domain/result.js';

/** One failed try of a job, kept with the job itself so that dashboards and dead letters can tell its story. */
export interface FailedAttempt {
  readonly attempt: number;
  readonly code: FailureCode;
  readonly message: string;
  /** ISO 8601, by the worker's clock. */
  readonly at: string;
  /** Trace id of the try, or the empty string. */
  readonly traceId: string;
}

/** The end of one life of a job: it became a dead letter. */
interface Death {
  /** The failed job's reason: `<code>: <message>`. */
  readonly reason: string;
  /** ISO 8601, by the worker's clock. */
  readonly at: string;
  /** How often a worker had vanished while it ran this job, in all its lives. */
  readonly crashes: number;
}

/** A life that has been lived: the job was a dead letter, and then somebody replayed it. */
export interface PastLife extends Death {
  /** Its newest failed tries, oldest first. */
  readonly attempts: readonly FailedAttempt[];
}

/** What a job remembers between its tries; stored as the job's progress. */
export interface AttemptHistory {
  /** Failed tries by code, all of them since the job was added or last replayed. */
  readonly counts: Readonly<Partial<Record<FailureCode, number>>>;
  /** When the first of them failed; ISO 8601 by the worker's clock; null before any failed. */
  readonly firstFailedAt: string | null;
  /** The newest failed tries, oldest first; at most `HISTORY_LENGTH`. */
  readonly attempts: readonly FailedAttempt[];
  /** Set when the job is made a dead letter; a job that runs with it has been replayed. */
  readonly death: Death | null;
  /** The newest `PAST_LIVES` of them, oldest first. */
  readonly pastLives: readonly PastLife[];
}

export const HISTORY_LENGTH = 20;
export const PAST_LIVES = 5;
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
  /** How often a worker vanished while it ran this job, in all its lives. */
  readonly crashes: number;
  /** The job's stored progress, unchecked. */
  readonly history: unknown;
}

/** What is to become of a job; the queue adapter carries it out. */
export type JobOutcome =
  | { readonly action: 'complete'; readonly result: Result }
  | { readonly action: 'retry'; readonly delayMs: number; readonly history: AttemptHistory }
  /** `reason` is the failed job's reason: `<code>: <message>`. */
  | { readonly action: 'dead_letter'; readonly reason: string; readonly history: AttemptHistory };

/** Nothing was done: the job goes back as if it had not been started. */
interface HandBack {
  readonly action: 'hand_back';
}

/** Takes a job to its settlement. Rejects only with the signal's reason (shutdown, job lock lost): then nothing is settled. */
export interface JobConsumer {
  readonly consume: (delivery: Delivery, signal: AbortSignal) => Promise<JobOutcome | HandBack>;
}
