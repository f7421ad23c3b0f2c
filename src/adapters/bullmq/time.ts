import { type Clock, withDeadline } from '../../clock.js';
import { UnavailableError } from '../../domain/errors.js';

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

/** The promise's own ending, or an `UnavailableError` after `limitMs`; see `withDeadline`. */
export function within<T>(clock: Clock, limitMs: number, promise: Promise<T>): Promise<T> {
  const late = (): UnavailableError =>
    new UnavailableError('queue', `the queue's store did not answer within ${limitMs} ms`);
  return withDeadline(clock, limitMs, promise, late);
}
