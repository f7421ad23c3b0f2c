import type { FailureCode } from '../domain/error-codes.js';
import type { Page } from '../domain/pages.js';
import type { FailedAttempt, PreviousRun } from './delivery.js';
import type { JobState } from './ports.js';

/** A job in the failed set of the work queue, in short. */
export interface DeadLetter {
  readonly jobId: string;
  /** From the job's data; the empty string where that has no such text. */
  readonly gameId: string;
  readonly opSource: string;
  readonly sourceRef: string;
  /** From the failed job's reason; `internal_error` where that begins with no code of the catalogue. */
  readonly code: FailureCode;
  readonly message: string;
  /** By the clocks of the worker that failed it and of its producer. */
  readonly failedAt: Date;
  readonly enqueuedAt: Date;
  /** How often it has been replayed, as far as its history reaches. */
  readonly replays: number;
}

/** A dead letter with its payload and its whole history. */
export interface DeadLetterStory extends DeadLetter {
  readonly jobName: string;
  readonly payload: unknown;
  /** The failed tries that led here since it was added or last replayed, oldest first. */
  readonly attempts: readonly FailedAttempt[];
  /** The runs before that, oldest first; each ended as a dead letter that was replayed. */
  readonly pastLives: readonly PreviousRun[];
}

/** Which dead letters; an empty filter means all. */
export interface DeadLetterFilter {
  readonly code?: FailureCode | undefined;
  /** The trimmed game id, exactly. */
  readonly gameId?: string | undefined;
  /** Failed before this instant. */
  readonly failedBefore?: Date | undefined;
}

export interface DeadLetterQuery extends DeadLetterFilter {
  /** `next` of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** `live`: the job is not, or no longer, a dead letter; `state` says what it is instead. */
export type ReplayAnswer =
  | { readonly status: 'replayed' }
  | { readonly status: 'live'; readonly state: JobState }
  | { readonly status: 'missing' };

export type PurgeAnswer =
  | { readonly status: 'purged' }
  | { readonly status: 'live'; readonly state: JobState }
  | { readonly status: 'missing' };

export interface BulkOptions {
  /** At most so many a second; the default is the adapter's. */
  readonly perSecond?: number | undefined;
  /** `total`: how many there were when it began. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  readonly signal: AbortSignal;
}

export interface BulkTally {
  /** Replayed, or purged. */
  readonly done: number;
  /** Found, but no longer dead letters when their turn came. */
  readonly skipped: number;
}

/**
 * Reads the dead letters of the work queue. Members reject with `UnavailableError` when the queue's store cannot answer,
 * and with `InvalidPageError` for a cursor that `list` never gave.
 */
export interface DeadLetterReader {
  /** Newest failure first. */
  readonly list: (query: DeadLetterQuery) => Promise<Page<DeadLetter>>;
  readonly find: (jobId: string) => Promise<DeadLetterStory | undefined>;
  readonly countByCode: () => Promise<Readonly<Partial<Record<FailureCode, number>>>>;
}

/**
 * Puts dead letters back to wait. A replayed job keeps its id and its history, and its failed tries are counted anew.
 * Members reject with `UnavailableError` when the queue's store cannot answer.
 */
export interface DeadLetterReplayer {
  /** The job runs once, however many callers ask at the same time. */
  readonly replay: (jobId: string) => Promise<ReplayAnswer>;
  /** Replays the jobs that are dead letters when it begins; one that fails again meanwhile is not replayed again. */
  readonly replayAll: (filter: DeadLetterFilter, options: BulkOptions) => Promise<BulkTally>;
}

/** Removes dead letters for good. Members reject with `UnavailableError` when the queue's store cannot answer. */
export interface DeadLetterPurger {
  readonly purge: (jobId: string) => Promise<PurgeAnswer>;
  /** Removes the jobs that are dead letters when it begins. */
  readonly purgeAll: (filter: DeadLetterFilter, options: BulkOptions) => Promise<BulkTally>;
}

export type DeadLetters = DeadLetterReader &
  DeadLetterReplayer &
  DeadLetterPurger & { readonly close: () => Promise<void> };
