import { type Clock, pause } from './clock.js';

export interface RetryOptions {
  readonly clock: Clock;
  /** Ends the retries, with its reason. */
  readonly signal: AbortSignal;
  readonly everyMs: number;
  /** No further attempt begins after this time; the last error is thrown. Default: no limit. */
  readonly limitMs?: number;
  /** Whether the same attempt may succeed later; every other error is thrown at once. Default: every error may pass. */
  readonly mayPass?: (error: unknown) => boolean;
  /** Called before each pause. */
  readonly onFailed?: (error: unknown, waitedMs: number) => void;
  /** Called when an attempt succeeds after at least one failed. */
  readonly onRecovered?: (waitedMs: number) => void;
}

/** Repeats `attempt` until it succeeds. Rejects with the signal's reason, or with an attempt's error as above. */
export async function retryUntil<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock, signal, everyMs, limitMs = Number.POSITIVE_INFINITY, mayPass, onFailed, onRecovered } = options;
  const startedMs = clock.monotonicMs();
  for (let failed = false; ; failed = true) {
    signal.throwIfAborted();
    try {
      const value = await attempt();
      if (failed) onRecovered?.(clock.monotonicMs() - startedMs);
      return value;
    } catch (error) {
      if (mayPass?.(error) === false) throw error;
      const waitedMs = clock.monotonicMs() - startedMs;
      if (waitedMs >= limitMs) throw error;
      onFailed?.(error, waitedMs);
    }
    await pause(clock, everyMs, signal);
  }
}
