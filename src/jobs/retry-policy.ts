/**
 * What the result of an attempt means for its job: complete it, retry it later, or make it a dead letter. One pure table;
 * the queue adapter only does what it says.
 */
import type { ErrorCode } from '../domain/error-codes.js';

export interface RetryLimits {
  /** Conflicts of one job before it is a dead letter. */
  readonly conflictMaxAttempts: number;
  /** No retry delay of a conflict is longer than this, so that ten of them take longer than a lease that a crash left behind. */
  readonly conflictMaxDelayMs: number;
  /** A job that fails because of an outage is retried until it is this old, then it becomes a dead letter. */
  readonly retryMaxAgeMs: number;
}

export interface Attempt {
  /** How often this job has ended with this code, this time included. */
  readonly count: number;
  /** Milliseconds since this job's first failed attempt; 0 for the first. */
  readonly ageMs: number;
  /** A job of the retention sweep: the next sweep asks again, so refusals of the moment end it. */
  readonly fromSweep: boolean;
  /** A number in [0, 1) from a random source. */
  readonly random: number;
}

export type Verdict =
  | { readonly action: 'complete' }
  | { readonly action: 'retry'; readonly delayMs: number }
  | { readonly action: 'dead_letter' };

type Rule = (attempt: Attempt, limits: RetryLimits) => Verdict;

const COMPLETE: Verdict = { action: 'complete' };
const DEAD_LETTER: Verdict = { action: 'dead_letter' };

const INTERNAL_ERROR_MAX_ATTEMPTS = 3;
const CONFLICT_FIRST_DELAY_MS = 1_000;
const OUTAGE_FIRST_DELAY_MS = 1_000;
const OUTAGE_MAX_DELAY_MS = 60_000;
const INTERNAL_ERROR_FIRST_DELAY_MS = 2_000;

const complete: Rule = () => COMPLETE;
const deadLetter: Rule = () => DEAD_LETTER;

const absorbedFromSweep =
  (rule: Rule): Rule =>
  (attempt, limits) =>
    attempt.fromSweep ? COMPLETE : rule(attempt, limits);

const retryConflict: Rule = (attempt, limits) =>
  attempt.count >= limits.conflictMaxAttempts
    ? DEAD_LETTER
    : { action: 'retry', delayMs: backoffMs(CONFLICT_FIRST_DELAY_MS, limits.conflictMaxDelayMs, attempt) };

const retryOutage: Rule = (attempt, limits) =>
  attempt.ageMs >= limits.retryMaxAgeMs
    ? DEAD_LETTER
    : { action: 'retry', delayMs: backoffMs(OUTAGE_FIRST_DELAY_MS, OUTAGE_MAX_DELAY_MS, attempt) };

/** An engine that cannot be believed is for people to judge: such a job waits for them, and never ends by itself. */
const retryHeld: Rule = (attempt) => ({
  action: 'retry',
  delayMs: backoffMs(OUTAGE_FIRST_DELAY_MS, OUTAGE_MAX_DELAY_MS, attempt),
});

const retryInternalError: Rule = (attempt) =>
  attempt.count >= INTERNAL_ERROR_MAX_ATTEMPTS
    ? DEAD_LETTER
    : { action: 'retry', delayMs: backoffMs(INTERNAL_ERROR_FIRST_DELAY_MS, OUTAGE_MAX_DELAY_MS, attempt) };

/** One row a code; the compiler refuses a table that lacks one. */
const RULES: Readonly<Record<ErrorCode, Rule>> = {
  '': complete,
  replay_no_op: complete,
  invalid_request: deadLetter,
  not_found: absorbedFromSweep(deadLetter),
  container_mismatch: deadLetter,
  conflict: absorbedFromSweep(retryConflict),
  lease_lost: retryOutage,
  engine_mismatch: retryHeld,
  service_unavailable: retryOutage,
  internal_error: retryInternalError,
};

export function verdictFor(code: ErrorCode, attempt: Attempt, limits: RetryLimits): Verdict {
  return RULES[code](attempt, limits);
}

/** Exponential from `firstMs`, capped at `maxMs`, then spread by a fifth to either side; whole milliseconds. */
function backoffMs(firstMs: number, maxMs: number, { count, random }: Pick<Attempt, 'count' | 'random'>): number {
  const doublings = Math.min(count - 1, 30);
  const plainMs = Math.min(firstMs * 2 ** doublings, maxMs);
  return spread(plainMs, random);
}

/** The delay, spread by a fifth to either side by a number in [0, 1), so that jobs held together do not return together. */
export function spread(delayMs: number, random: number): number {
  return Math.round(delayMs * (0.8 + 0.4 * random));
}

/**
 * The shortest time that all retries of a conflict can take together, in milliseconds. It must be longer than the
 * lease's life, or a lease left behind by a crash makes a dead letter before it expires; `config/` refuses such settings.
 */
export function conflictPatienceMs(limits: Pick<RetryLimits, 'conflictMaxAttempts' | 'conflictMaxDelayMs'>): number {
  let totalMs = 0;
  for (let count = 1; count < limits.conflictMaxAttempts; count++) {
    totalMs += backoffMs(CONFLICT_FIRST_DELAY_MS, limits.conflictMaxDelayMs, { count, random: 0 });
  }
  return totalMs;
}

/** The longest single conflict delay that suits a lease of this TTL: a quarter of it, at least five seconds. */
export function conflictMaxDelayMsFor(leaseTtlMs: number): number {
  return Math.max(5_000, Math.round(leaseTtlMs / 4));
}
