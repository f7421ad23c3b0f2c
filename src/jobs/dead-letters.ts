import type { FailureCode } from '../domain/error-codes.js';
import type { Page } from '../domain/pages.js';
import type { FailedAttempt, PastLife } from './delivery.js';
import type { JobState } from './ports.js';

/** A job in the failed set of the work queue, in short. */
export interface DeadLetter {
  readonly jobId: string;
  /** As they stand in the job's data; the empty string where they cannot be made out. */
  readonly gameId: string;
  readonly opSource: string;
  readonly sourceRef: string;
  /** From the failed job's reason; `internal_error` where that has no code of ours. */
  readonly code: FailureCode;
  readonly message: string;
  /** By the clocks of the worker that failed it and of its producer. */
  readonly failedAt: Date;
  readonly enqueuedAt: Date;
  /** How often it has been replayed, as far as its history reaches. */
  readonly replays: number;
}

/** A dead letter with its whole story. */
export interface DeadLetterStory extends DeadLetter {
  readonly jobName: string;
  readonly payload: unknown;
  /** The failed tries that led here since it was added or last replayed, oldest first. */
  readonly attempts: readonly FailedAttempt[];
  /** What was before that, oldest first. */
  readonly pastLives: readonly PastLife[];
}

/** Which dead letters; all of them where nothing is asked for. */
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

/** `live`: it is no dead letter any more, somebody else replayed it or it ended otherwise; `state` says what it is. */
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
  /** Found, but no dead letters any more when their turn came. */
  readonly skipped: number;
}

/**
 * The dead letters of the work queue. A replayed job keeps its id and its history, and begins a new life. Members reject
 * with `UnavailableError` when the queue's store cannot answer, and with `InvalidPageError` for a cursor that is none.
 */
export interface DeadLetters {
  /** Newest failure first. */
  readonly list: (query: DeadLetterQuery) => Promise<Page<DeadLetter>>;
  readonly find: (jobId: string) => Promise<DeadLetterStory | undefined>;
  readonly countByCode: () => Promise<Readonly<Partial<Record<FailureCode, number>>>>;
  /** However many ask at once, the job runs once. */
  readonly replay: (jobId: string) => Promise<ReplayAnswer>;
  readonly purge: (jobId: string) => Promise<PurgeAnswer>;
  /** Those there are when it begins; one that fails again meanwhile is not replayed again. */
  readonly replayAll: (filter: DeadLetterFilter, options: BulkOptions) => Promise<BulkTally>;
  readonly purgeAll: (filter: DeadLetterFilter, options: BulkOptions) => Promise<BulkTally>;
  readonly close: () => Promise<void>;
}
