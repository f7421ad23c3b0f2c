import type { Clock } from '../../async/clock.js';
import { StopRequestedError, type StopSignal } from '../../domain/errors.js';

/** The part of `process` that receives signals. */
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
 * Under `npm run`, one Ctrl-C arrives twice: from the terminal, and again from npm, which passes it on. Two key presses
 * are further apart than this.
 */
const SAME_KEY_PRESS_MS = 250;

/** The first signal aborts `signal`, the second ends the process. `release` gives the signals back to Node. */
export function listenForStop({ source, clock, exitNow }: StopSignalOptions): {
  readonly signal: AbortSignal;
  readonly release: () => void;
} {
  const controller = new AbortController();
  let firstAtMs: number | undefined;

  const onSignal = (name: StopSignal) => () => {
    const nowMs = clock.monotonicMs();
    if (firstAtMs === undefined) {
      firstAtMs = nowMs;
      controller.abort(new StopRequestedError(name));
    } else if (name !== 'SIGINT' || nowMs - firstAtMs >= SAME_KEY_PRESS_MS) {
      exitNow();
    }
  };
  const listeners = [
    ['SIGINT', onSignal('SIGINT')],
    ['SIGTERM', onSignal('SIGTERM')],
    ['SIGHUP', onSignal('SIGHUP')],
  ] as const;
  for (const [name, listener] of listeners) source.on(name, listener);

  return {
    signal: controller.signal,
    release: () => {
      for (const [name, listener] of listeners) source.off(name, listener);
    },
  };
}

const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const satisfies Record<StopSignal, number>;

/**
 * Ends the process on a signal that arrives before the command line listens for it. The kernel does that for every
 * process but process 1 of a container, for which it ignores such a signal. The returned source hands each signal over to
 * the first listener.
 */
export function endOnEarlySignals(process: SignalSource & { readonly exit: (code: number) => void }): SignalSource {
  const end = {
    SIGHUP: () => process.exit(EXIT_CODES.SIGHUP),
    SIGINT: () => process.exit(EXIT_CODES.SIGINT),
    SIGTERM: () => process.exit(EXIT_CODES.SIGTERM),
  };
  for (const name of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(name, end[name]);
  return {
    on: (name, listener) => {
      process.off(name, end[name]);
      process.on(name, listener);
    },
    off: (name, listener) => process.off(name, listener),
  };
}
