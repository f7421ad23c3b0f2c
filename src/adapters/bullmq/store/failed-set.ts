/**
 * The failed set of the cleanup queue, read and changed below BullMQ: its own listing loads whole jobs one by one, and ten
 * thousand dead letters must be counted, filtered and looked through before every sweep, and put back in seconds.
 */
import type { Queue } from 'bullmq';
import { LAST_INSTANT_MS } from '../../../domain/time.js';

/** Newest failure first; jobs that failed in the same millisecond by descending id, byte by byte. */
export interface FailedPosition {
  readonly failedAtMs: number;
  readonly jobId: string;
}

/** What a page tells of a failed job as it is stored; nothing in it can be trusted. */
export interface FailedEntry extends FailedPosition {
  /** The text itself where it is no JSON; undefined where it is far longer than the data of any cleanup. */
  readonly data: unknown;
  /** The same; undefined also where it was not asked for. */
  readonly progress: unknown;
  readonly reason: string;
  readonly addedAtMs: number;
}

/** A failed job, whole. */
export interface FailedJob extends FailedEntry {
  readonly jobName: string;
}

export interface FailedSet {
  /** The page behind `after`; an empty one is the end. */
  readonly page: (
    after: FailedPosition | null,
    limit: number,
    withProgress: boolean,
  ) => Promise<readonly FailedEntry[]>;
  readonly find: (jobId: string) => Promise<FailedJob | undefined>;
  /**
   * Puts failed jobs back to wait, with none of their tries used up; resolves to those that were failed ones. However many
   * ask for a job at once, one of them gets it. A job gets its deduplication key again if nobody else has it by now:
   * BullMQ's own retry leaves it out, and a further request would become a second job beside this one.
   */
  readonly putBack: (queue: Queue<unknown, unknown>, jobIds: readonly string[]) => Promise<readonly string[]>;
  /** Removes jobs; resolves to those that were failed ones. The others stay whatever they are. */
  readonly remove: (jobIds: readonly string[]) => Promise<readonly string[]>;
}

/** No data of a cleanup comes near; ten megabytes in each of a page's jobs would. */
export const PAGE_DATA_MAX_BYTES = 16 * 1_024;
/** Twice as much as the longest history that our workers write. */
export const PAGE_PROGRESS_MAX_BYTES = 1_024 * 1_024;
export const PAGE_REASON_MAX_CHARACTERS = 4_000;

/** Stored times are anybody's; within these bounds they can be shown, and be compared in both stores. */
export function boundedMs(stored: unknown): number {
  const ms = Number(stored);
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, -LAST_INSTANT_MS), LAST_INSTANT_MS);
}
