import { isFailureCode } from '../../domain/error-codes.js';
import type { JobEnding, JobView } from '../../jobs/ports.js';
import { Problem, type ProblemCode } from './problem.js';

const iso = (instant: Date | null): string | null => instant?.toISOString() ?? null;

/** Code and message of a dead letter's reason, `<code>: <message>`. */
export function failureOf(reason: string): { readonly code: ProblemCode; readonly message: string } {
  const colon = reason.indexOf(': ');
  const code = reason.slice(0, Math.max(0, colon));
  return isFailureCode(code) ? { code, message: reason.slice(colon + 2) } : { code: 'internal_error', message: reason };
}

export function cleanupBody({ enqueuedAt, startedAt, finishedAt, nextTryAt, attempts, ending, ...job }: JobView) {
  return {
    ...job,
    enqueuedAt: enqueuedAt.toISOString(),
    startedAt: iso(startedAt),
    finishedAt: iso(finishedAt),
    nextTryAt: iso(nextTryAt),
    attempts: [...attempts],
    result: ending?.state === 'completed' ? ending.result : null,
    failure: ending?.state === 'failed' ? failureOf(ending.reason) : null,
  };
}

/** The record of a job that did what was asked; otherwise throws the `Problem` that it ended with. */
export function recordOf(ending: Exclude<JobEnding, { readonly state: 'missing' }>) {
  if (ending.state === 'failed') {
    const { code, message } = failureOf(ending.reason);
    throw new Problem(code, message);
  }
  const { outcome, errorCode, errorMessage, record } = ending.result;
  if (outcome === 'success' && record !== null) return record;
  throw new Problem(isFailureCode(errorCode) ? errorCode : 'internal_error', errorMessage);
}
