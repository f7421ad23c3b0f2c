import type { OperationEntry } from './operation.js';
import type { Page } from './pages.js';
import type { RuntimeRecord, RuntimeStatus } from './runtime-record.js';

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
  /** An `ErrorCode`, or another word from another service's operations. */
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
 * What people and other programs may read: records and the operation log. A cleanup does not use it. Members reject with
 * `InvalidPageError` for an impossible cursor or limit, and with `UnavailableError` when the database cannot answer.
 */
export interface RecordQueries {
  readonly listRecords: (filter: RecordFilter) => Promise<Page<RuntimeRecord>>;
  readonly findRecord: (gameId: string) => Promise<RuntimeRecord | undefined>;
  readonly listOperations: (filter: OperationFilter) => Promise<Page<LoggedOperation>>;
}
