import { ConfigurationError } from '../domain/errors.js';

export const LEASE_TTL_MIN_MS = 2_000;
export const LEASE_TTL_MAX_MS = 3_600_000;
const RELEASE_TIMEOUT_MAX_MS = 5_000;

/** What a caller may set; the defaults follow from `ttlMs`. */
export interface LeaseSettings {
  /** Life of a lease in the store, counted anew at each renewal; 2,000 to 3,600,000. */
  readonly ttlMs: number;
  /** How long before the store's end of life we stop to trust the lease. Default: a tenth of the life, at most 5,000. */
  readonly marginMs?: number;
  /** From one successful question to the next renewal. Default: a third of the life. */
  readonly renewEveryMs?: number;
  /** How long one question to the store may stay unanswered. Default: a quarter of the life, at most 2,000. */
  readonly answerTimeoutMs?: number;
  /** Pause after a renewal that failed. Default: a twentieth of the life, at most 1,000. */
  readonly retryEveryMs?: number;
  /** How long the release may delay the work's answer; 1 to 5,000. Default: 5,000. */
  readonly releaseTimeoutMs?: number;
}

/** Settings with nothing left open and no contradiction between them. */
export type LeaseTiming = Readonly<Required<LeaseSettings>>;

/** Fills in the defaults; throws `ConfigurationError` that names the setting, its value and what is allowed. */
export function leaseTiming(settings: LeaseSettings): LeaseTiming {
  const { ttlMs } = settings;
  within('lease ttlMs', ttlMs, LEASE_TTL_MIN_MS, LEASE_TTL_MAX_MS);
  if (!Number.isInteger(ttlMs)) throw new ConfigurationError(`lease ttlMs is ${ttlMs}; allowed: whole milliseconds`);
  const timing: LeaseTiming = Object.freeze({
    ttlMs,
    marginMs: settings.marginMs ?? Math.min(ttlMs / 10, 5_000),
    renewEveryMs: settings.renewEveryMs ?? ttlMs / 3,
    answerTimeoutMs: settings.answerTimeoutMs ?? Math.min(ttlMs / 4, 2_000),
    retryEveryMs: settings.retryEveryMs ?? Math.min(ttlMs / 20, 1_000),
    releaseTimeoutMs: settings.releaseTimeoutMs ?? RELEASE_TIMEOUT_MAX_MS,
  });
  refuseContradictions(timing);
  return timing;
}

function refuseContradictions(timing: LeaseTiming): void {
  const { ttlMs, marginMs, renewEveryMs, answerTimeoutMs, retryEveryMs, releaseTimeoutMs } = timing;
  within('lease releaseTimeoutMs', releaseTimeoutMs, 1, RELEASE_TIMEOUT_MAX_MS);
  within('lease retryEveryMs', retryEveryMs, 1, ttlMs);
  if (!(marginMs >= 0 && marginMs < ttlMs)) {
    throw new ConfigurationError(`lease marginMs is ${marginMs}; allowed: 0 up to below ttlMs (${ttlMs})`);
  }
  const trustMs = ttlMs - marginMs;
  if (!(renewEveryMs > 0 && renewEveryMs < trustMs)) {
    throw new ConfigurationError(
      `lease renewEveryMs is ${renewEveryMs}; allowed: above 0 and below the trusted time, ttlMs - marginMs (${trustMs})`,
    );
  }
  // Otherwise one slow answer would use up the whole trust and the first failed renewal would lose the lease.
  if (!(answerTimeoutMs > 0 && answerTimeoutMs < trustMs - renewEveryMs)) {
    throw new ConfigurationError(
      `lease answerTimeoutMs is ${answerTimeoutMs}; allowed: above 0 and below ttlMs - marginMs - renewEveryMs (${trustMs - renewEveryMs})`,
    );
  }
}

function within(name: string, value: number, min: number, max: number): void {
  // Written so that NaN and values of another type are refused too.
  if (!(typeof value === 'number' && value >= min && value <= max)) {
    throw new ConfigurationError(`${name} is ${String(value)}; allowed: ${min} to ${max}`);
  }
}

/**
 * Until when a lease may be trusted, as a point of monotonic time. It is counted from when the question was asked: the
 * store cannot have started the lease's life earlier, so a slow answer shortens what is left and never stretches it.
 */
export function trustEndMs(askedAtMs: number, timing: LeaseTiming): number {
  return askedAtMs + timing.ttlMs - timing.marginMs;
}

/** The later of two ends: an answer that arrives late must not take back what a newer one has given. */
export function extendedTrustEndMs(currentEndMs: number, askedAtMs: number, timing: LeaseTiming): number {
  return Math.max(currentEndMs, trustEndMs(askedAtMs, timing));
}

/** At its very end the trust is over. */
export function isTrusted(nowMs: number, endMs: number): boolean {
  return nowMs < endMs;
}

/** How long to wait until the next renewal, counted from when the last successful question was asked; 0 when overdue. */
export function renewalDueInMs(nowMs: number, askedAtMs: number, timing: LeaseTiming): number {
  return Math.max(0, askedAtMs + timing.renewEveryMs - nowMs);
}
