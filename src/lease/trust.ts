import type { LeaseTiming } from './timing.js';

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
