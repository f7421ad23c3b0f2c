/**
 * The failed set of the cleanup queue, read below BullMQ: its own listing loads whole jobs one by one, and ten thousand
 * dead letters must be counted, filtered and looked through before every sweep.
 */

/** Newest failure first; jobs that failed in the same millisecond by descending id. */
export interface FailedPosition {
  readonly failedAtMs: number;
  readonly jobId: string;
}

/** A failed job as it is stored; nothing in it can be trusted. */
export interface FailedJob extends FailedPosition {
  readonly jobName: string;
  /** Undefined where it is no JSON. */
  readonly data: unknown;
  readonly progress: unknown;
  readonly reason: string;
  readonly addedAtMs: number;
}

export interface FailedSet {
  /** The page behind `after`. */
  readonly page: (after: FailedPosition | null, limit: number) => Promise<readonly FailedJob[]>;
  readonly find: (jobId: string) => Promise<FailedJob | undefined>;
  /** Removes the job if it is a failed one; `false`: it is not, and stays whatever it is. */
  readonly remove: (jobId: string) => Promise<boolean>;
  /**
   * Gives a job that was put back from the failed set its deduplication key again, if the job is live and nobody else
   * has the key by now. BullMQ does not, so that a further request would become a second job beside it.
   */
  readonly retakeKey: (jobId: string) => Promise<void>;
}
