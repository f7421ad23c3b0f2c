import type { ResultJson } from '../domain/result.js';
import type { FailedAttempt } from './delivery.js';

/** A cleanup job's data as any client may add it (contract, section 3). */
export interface CleanupJobData {
  readonly gameId: string;
  readonly opSource: string;
  readonly sourceRef?: string;
  readonly expectedContainerId?: string;
}

export type JobState = 'waiting' | 'delayed' | 'active' | 'completed' | 'failed' | 'unknown';

export interface EnqueuedJob {
  readonly jobId: string;
  readonly gameId: string;
  readonly state: JobState;
  /** The game already had a live cleanup; this is that job, and the data of this request was not stored. */
  readonly coalesced: boolean;
}

/** The producer's side. Rejects with `UnavailableError` within about a second when the queue's store cannot answer. */
export interface CleanupQueue {
  /** Adds the jobs, one live cleanup per game; answers in the order of the requests, and only once they are stored. */
  readonly enqueue: (requests: readonly CleanupJobData[]) => Promise<readonly EnqueuedJob[]>;
  readonly close: () => Promise<void>;
}

export type JobResult =
  | { readonly jobId: string; readonly state: 'completed'; readonly result: ResultJson }
  | { readonly jobId: string; readonly state: 'failed'; readonly reason: string }
  /** The queue no longer knows the job (purged, or trimmed after it completed). */
  | { readonly jobId: string; readonly state: 'missing' };

/** Reports how jobs ended, also after missed events and outages of the queue's store. */
export interface JobWaiter {
  /** Calls `onEnd` once for each job as it ends; resolves when all have, rejects with the signal's reason on abort. */
  readonly wait: (jobIds: readonly string[], onEnd: (ending: JobResult) => void, signal: AbortSignal) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** A job as it stands in the queue. */
export interface JobView {
  readonly jobId: string;
  /** From the job's data; the empty string where that has no such text. */
  readonly gameId: string;
  readonly opSource: string;
  readonly sourceRef: string;
  readonly state: JobState;
  readonly enqueuedAt: Date;
  /** When the last try began, when the job ended, and when a delayed one is due; null where that does not apply. */
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly nextTryAt: Date | null;
  /** Tries begun since the job was added or last replayed. */
  readonly tries: number;
  /** The newest failed ones of them, oldest first. */
  readonly attempts: readonly FailedAttempt[];
  /** How it ended; null while it has not. */
  readonly ending: JobResult | null;
}

/** Finds jobs of the work queue by their ids. */
export interface JobLookup {
  /** Undefined: there is no such job, or no longer. Rejects with `UnavailableError` in an outage. */
  readonly find: (jobId: string) => Promise<JobView | undefined>;
}
