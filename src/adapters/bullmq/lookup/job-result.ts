import type { Job } from 'bullmq';
import { isFailureCode, SUCCESS_CODES } from '../../../domain/error-codes.js';
import type { ResultJson } from '../../../domain/result.js';
import type { JobResult } from '../../../jobs/ports.js';

/** How a job ended, or undefined while it has not; a job that is not there is `missing`. */
export function endingOf(
  jobId: string,
  job: Pick<Job, 'finishedOn' | 'failedReason' | 'returnvalue'> | undefined,
): JobResult | undefined {
  if (job === undefined) return { jobId, state: 'missing' };
  if (job.finishedOn === undefined || job.finishedOn === null) return undefined;
  if (job.failedReason !== undefined && !isResult(job.returnvalue)) {
    return { jobId, state: 'failed', reason: job.failedReason };
  }
  if (isResult(job.returnvalue)) return { jobId, state: 'completed', result: job.returnvalue };
  return { jobId, state: 'failed', reason: 'internal_error: the job completed with a result that is none of ours' };
}

/** Enough of a check for what our own workers write; anything else was not theirs. */
function isResult(value: unknown): value is ResultJson {
  if (typeof value !== 'object' || value === null) return false;
  if (!('outcome' in value) || !('errorCode' in value) || typeof value.errorCode !== 'string') return false;
  const known = isFailureCode(value.errorCode) || (SUCCESS_CODES as readonly string[]).includes(value.errorCode);
  return known && (value.outcome === 'success' || value.outcome === 'failure');
}
