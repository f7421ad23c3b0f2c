import type { Clock } from '../../async/clock.js';
import { StopRequestedError, type StopSignal } from '../../domain/errors.js';

/** The part of `process` that hears signals. */
export interface SignalSource {
  readonly on: (name: StopSignal, listener: () => void) => unknown;
  readonly off: (name: StopSignal, listener: () => void) => unknown;
}

export interface StopSignalOptions {
  readonly source: SignalSource;
  readonly clock: Clock;
  /** Called for the second signal; must end the process. */
  readonly exitNow: () => void;
}

/**
 * Under `npm run`, one Ctrl-C arrives twice: from the terminal, and again from npm, which passes it on. No finger is
 * that fast.
 */
const SAME_KEY_PRESS_MS = 250;

/** The first signal aborts `signal`, the second ends the process. `release` gives the signals back to Node. */
export function listenForStop({ source, clock, exitNow }: StopSignalOptions): {
  readonly signal: AbortSignal;
  readonly release: () => void;
} {
  const controller = new AbortController();
  let firstAtMs: number | undefined;

  const hear = (name: StopSignal) => () => {
    const nowMs = clock.monotonicMs();
    if (firstAtMs === undefined) {
      firstAtMs = nowMs;
      controller.abort(new StopRequestedError(name));
    } else if (name !== 'SIGINT' || nowMs - firstAtMs >= SAME_KEY_PRESS_MS) {
      exitNow();
    }
  };
  const listeners = [
    ['SIGINT', hear('SIGINT')],
    ['SIGTERM', hear('SIGTERM')],
    ['SIGHUP', hear('SIGHUP')],
  ] as const;
  for (const [name, listener] of listeners) source.on(name, listener);

  return {
    signal: controller.signal,
    release: () => {
      for (const [name, listener] of listeners) source.off(name, listener);
    },
  };
}
