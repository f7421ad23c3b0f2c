import type { FailureCode, SuccessCode } from './error-codes.js';
import type { Removal } from './operation.js';
import type { RuntimeRecord } from './runtime-record.js';
import { isoText } from './time.js';

interface Success {
  readonly outcome: 'success';
  readonly errorCode: SuccessCode;
  readonly errorMessage: string;
  /** The updated record of a fresh success, the existing one of a replay. */
  readonly record: RuntimeRecord;
  /** What a fresh success did to the container; empty for a replay. */
  readonly removal: Removal | '';
}

export interface Failure {
  readonly outcome: 'failure';
  readonly errorCode: FailureCode;
  readonly errorMessage: string;
  readonly record: null;
  readonly removal: '';
}

/** How an operation ended. Business endings are values; only broken dependencies and bugs are exceptions. */
export type Result = Success | Failure;

export function failure(errorCode: FailureCode, errorMessage: string): Failure {
  return { outcome: 'failure', errorCode, errorMessage, record: null, removal: '' };
}

/** A record with JSON types only: instants as ISO 8601 text, the fence as decimal text. */
export type RecordJson = {
  readonly [K in keyof RuntimeRecord]: RuntimeRecord[K] extends bigint
    ? string
    : RuntimeRecord[K] extends Date
      ? string
      : RuntimeRecord[K] extends Date | null
        ? string | null
        : RuntimeRecord[K];
};

export interface ResultJson {
  readonly outcome: Result['outcome'];
  readonly errorCode: Result['errorCode'];
  readonly errorMessage: string;
  readonly record: RecordJson | null;
  readonly removal: Removal | '';
}

/** An instant that `Date` does not know becomes the empty text: PostgreSQL has `infinity` and years beyond 9999. */
export function recordToJson(record: RuntimeRecord): RecordJson {
  return {
    ...record,
    startedAt: record.startedAt === null ? null : isoText(record.startedAt),
    stoppedAt: record.stoppedAt === null ? null : isoText(record.stoppedAt),
    removedAt: record.removedAt === null ? null : isoText(record.removedAt),
    lastOpAt: isoText(record.lastOpAt),
    createdAt: isoText(record.createdAt),
    leaseEpoch: record.leaseEpoch.toString(),
  };
}

/** The `Result` as it is stored as a job's return value. */
export function resultToJson(result: Result): ResultJson {
  return { ...result, record: result.record === null ? null : recordToJson(result.record) };
}
