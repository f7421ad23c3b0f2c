import { isFailureCode } from '../../../domain/error-codes.js';
import type { RecordJson } from '../../../domain/result.js';
import type { JobResult, JobView } from '../../../jobs/ports.js';
import { shownReason } from '../../../jobs/failure-reason.js';
import { refused } from './problem.js';
import { record as recordSchema } from '../schemas.js';
import { isoOrNull, isoText } from './serialize.js';

export function cleanupBody({ enqueuedAt, startedAt, finishedAt, nextTryAt, attempts, ending, ...job }: JobView) {
  return {
    ...job,
    enqueuedAt: isoText(enqueuedAt),
    startedAt: isoOrNull(startedAt),
    finishedAt: isoOrNull(finishedAt),
    nextTryAt: isoOrNull(nextTryAt),
    attempts: [...attempts],
    result: resultBody(ending),
    failure: ending?.state === 'failed' ? shownReason(ending.reason) : null,
  };
}

function resultBody(ending: JobResult | null) {
  if (ending?.state !== 'completed') return null;
  const { outcome, errorCode, errorMessage, record } = ending.result;
  return { outcome, errorCode, errorMessage: errorMessage ?? '', record: readRecord(record) };
}

/** A stored result is what a worker wrote, perhaps one of another version. */
function readRecord(stored: RecordJson | null) {
  return recordSchema.nullable().catch(null).parse(stored);
}

/** The record of a job that did what was asked; otherwise throws the `RequestRefusedError` that it ended with. */
export function recordOf(ending: Exclude<JobResult, { readonly state: 'missing' }>) {
  if (ending.state === 'failed') {
    const { code, message } = shownReason(ending.reason);
    throw refused(code, message);
  }
  const { outcome, errorCode, errorMessage } = ending.result;
  if (outcome !== 'success') throw refused(isFailureCode(errorCode) ? errorCode : 'internal_error', errorMessage);
  const record = readRecord(ending.result.record);
  if (record === null) throw refused('internal_error', 'the cleanup succeeded, but its result has no record');
  return record;
}
