/**
 * The failed set of the cleanup queue, read and changed below BullMQ. BullMQ's own listing loads whole jobs one by one, but
 * ten thousand dead letters must be counted, filtered and read before every sweep, and put back in seconds.
 */
import type { Queue } from 'bullmq';
import { LAST_INSTANT_MS } from '../../../domain/time.js';

/** Newest failure first; jobs that failed in the same millisecond by descending id, byte by byte. */
export interface FailedPosition {
  readonly failedAtMs: number;
  readonly jobId: string;
}

/** A failed job in a page, as it is stored; any client may have written it. */
export interface FailedEntry extends FailedPosition {
  /** The text itself when it is not JSON; undefined when it is longer than `PAGE_DATA_MAX_BYTES`. */
  readonly data: unknown;
  /** The same with `PAGE_PROGRESS_MAX_BYTES`; also undefined in a page without progress. */
  readonly progress: unknown;
  readonly reason: string;
  readonly addedAtMs: number;
}

/** A failed job with all its data. */
export interface FailedJob extends FailedEntry {
  readonly jobName: string;
}

export interface FailedPage {
  /** The last entry of the page before; null for the first page. */
  readonly after: FailedPosition | null;
  readonly limit: number;
  /** Whether to read the progress of each job, which holds its history. Default: false. */
  readonly withProgress?: boolean;
}

interface FailedJobs {
  /** The caller's open queue; Redis sends BullMQ's own retry through it. */
  readonly queue: Queue<unknown, unknown>;
  readonly jobIds: readonly string[];
}

export interface FailedSet {
  /** The jobs behind `after`; an empty page is the end. */
  readonly page: (page: FailedPage) => Promise<readonly FailedEntry[]>;
  readonly find: (jobId: string) => Promise<FailedJob | undefined>;
  /**
   * Puts failed jobs back to wait, with no attempt used; resolves to the ids of those that were failed. Of concurrent calls
   * for one job exactly one gets it. A job gets its deduplication key again unless another job holds it now: BullMQ's own
   * retry does not restore the key, and the next request would become a second job beside this one.
   */
  readonly putBack: (jobs: FailedJobs) => Promise<readonly string[]>;
  /** Removes failed jobs; resolves to the ids of those that were failed. Other jobs stay unchanged. */
  readonly remove: (jobIds: readonly string[]) => Promise<readonly string[]>;
}

/** Far more than the data of any cleanup; ten megabytes in each job of a page would use up the memory. */
export const PAGE_DATA_MAX_BYTES = 16 * 1_024;
/** Twice the longest history that a worker writes. */
export const PAGE_PROGRESS_MAX_BYTES = 1_024 * 1_024;
export const PAGE_REASON_MAX_CHARACTERS = 4_000;

/** Any client may have written a stored time; within these bounds it can be shown, and compared in both stores. */
export function boundedMs(stored: unknown): number {
  const ms = Number(stored);
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, -LAST_INSTANT_MS), LAST_INSTANT_MS);
}
