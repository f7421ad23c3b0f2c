/**
 * Time, passed in. Wall time is for what people read; monotonic time is for trust and durations, because a wall clock
 * may be set back. This file is the only caller of Date's clock, `performance` and timers that policy depends on.
 */
export interface Clock {
  /** Wall time, for messages and history; never compared with a database's time. */
  readonly now: () => Date;
  /** Milliseconds since an arbitrary origin; never goes back. */
  readonly monotonicMs: () => number;
  /** Calls `fn` once after `delayMs` unless the returned function is called first. Never keeps the process alive. */
  readonly after: (delayMs: number, fn: () => void) => () => void;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  after: (delayMs, fn) => {
    const timer = setTimeout(fn, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`, or as soon as the signal is aborted. */
export function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(delayMs, done);
    signal?.addEventListener('abort', done);
  });
}

/** Resolves when the signal is aborted; at once if it already is. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
