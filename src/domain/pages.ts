import type { OperationEntry } from './operation.js';
import type { RuntimeRecord, RuntimeStatus } from './runtime-record.js';
import { InvalidPageError } from './errors.js';

/** One page of a keyset-paged listing; pass `next` back to get the page after it. Null: this was the last one. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** Throws an `InvalidPageError` for a limit that cannot be. */
export function requireLimit(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new InvalidPageError(`the limit is ${limit}; it must be a whole number of at least 1`);
  }
}

/** The page of `found`, which holds one item more than the limit where there is another page. */
export function pageOf<Item>(found: readonly Item[], limit: number, cursorOf: (last: Item) => string): Page<Item> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, next: found.length > limit && last !== undefined ? cursorOf(last) : null };
}

export interface RecordFilter {
  readonly status?: RuntimeStatus | undefined;
  /** Records after this game id, in game id order. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** A row of the operation log as it is read back. */
export interface LoggedOperation extends Omit<OperationEntry, 'opKind' | 'errorCode' | 'elapsedMs'> {
  /** Decimal text: the column is a 64-bit integer. */
  readonly id: string;
  readonly opKind: string;
  /** An `ErrorCode`, or a word of another service's operations. */
  readonly errorCode: string;
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

export interface OperationFilter {
  /** Of all games where it is not given. */
  readonly gameId?: string | undefined;
  /** Rows older than this id, newest first. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/**
 * What people and other programs may read: records and the operation log. Never part of a cleanup. Members reject with
 * `InvalidPageError` for a cursor or limit that cannot be, and with `UnavailableError` when the database cannot answer.
 */
export interface RecordQueries {
  readonly listRecords: (filter: RecordFilter) => Promise<Page<RuntimeRecord>>;
  readonly findRecord: (gameId: string) => Promise<RuntimeRecord | undefined>;
  readonly listOperations: (filter: OperationFilter) => Promise<Page<LoggedOperation>>;
}
