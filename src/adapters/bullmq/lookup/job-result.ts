import type { Job } from 'bullmq';
import { isFailureCode, SUCCESS_CODES } from '../../../domain/error-codes.js';
import { isObject } from '../../../domain/json.js';
import type { ResultJson } from '../../../domain/result.js';
import type { JobResult } from '../../../jobs/ports.js';

/** How a job ended, or undefined while it has not; a job that the queue does not know is `missing`. */
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
  return {
    jobId,
    state: 'failed',
    reason: 'internal_error: the job completed with a result that is not one of this service',
  };
}

/** Checks enough to distinguish a result of this service's workers from other values. */
function isResult(value: unknown): value is ResultJson {
  if (!isObject(value)) return false;
  const { outcome, errorCode } = value;
  if (typeof errorCode !== 'string' || (outcome !== 'success' && outcome !== 'failure')) return false;
  return isFailureCode(errorCode) || (SUCCESS_CODES as readonly string[]).includes(errorCode);
}
