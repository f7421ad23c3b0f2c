/** How long held jobs of one engine stay away: an engine with many of them must not keep the worker busy with holding. */
import type { Clock } from '../async/clock.js';
import type { Held } from '../cleanup/ports.js';

export interface HoldSettings {
  /** A held job comes back after this time. */
  readonly holdMs: number;
  /** Held jobs come back at least so far apart, unless that would take longer than `longestMs`. */
  readonly apartMs: number;
  readonly longestMs: number;
  /** A job that found no free slot comes back after this time. */
  readonly busyMs: number;
}

export const HOLD_DEFAULTS: HoldSettings = { holdMs: 5_000, apartMs: 100, longestMs: 30_000, busyMs: 1_000 };

export interface Holds {
  readonly unusable: (errorCode: Held['errorCode'], errorMessage: string) => Held;
  /** Nothing has failed: the job just comes back. */
  readonly busy: () => Held;
}

export function createHolds(engine: string, clock: Clock, settings: HoldSettings): Holds {
  const { holdMs, apartMs, longestMs, busyMs } = settings;
  let lastDueMs = Number.NEGATIVE_INFINITY;

  function nextDelayMs(): number {
    const nowMs = clock.monotonicMs();
    lastDueMs = Math.min(Math.max(nowMs + holdMs, lastDueMs + apartMs), nowMs + longestMs);
    return lastDueMs - nowMs;
  }

  return {
    unusable: (errorCode, errorMessage) => ({
      outcome: 'held',
      errorCode,
      errorMessage,
      retryInMs: nextDelayMs(),
      firstRow: 'written',
    }),
    busy: () => ({
      outcome: 'held',
      errorCode: 'service_unavailable',
      errorMessage: `the engine ${JSON.stringify(engine)} is busy with other cleanups`,
      retryInMs: busyMs,
      firstRow: 'none',
    }),
  };
}
