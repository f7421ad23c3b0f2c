/**
 * Signals that arrive before the command line listens for them. The kernel ignores them for process 1 of a container, where it would
 * end any other process; so until somebody listens, this does what the kernel does elsewhere.
 */
import type { SignalSource } from './stop-signals.js';
import type { StopSignal } from '../../domain/errors.js';

const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const satisfies Record<StopSignal, number>;

/** Ends the process on each of the signals; the source returned hands one over to whoever listens for it first. */
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
