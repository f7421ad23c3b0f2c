import type { Clock } from '../../clock.js';
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

/**
 * The promise's own ending, or an `UnavailableError` after `limitMs`. What was asked for may still be carried out; an
 * error that comes later is dropped, the caller has had its answer.
 */
export async function within<T>(clock: Clock, limitMs: number, promise: Promise<T>): Promise<T> {
  let cancel = (): void => undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    cancel = clock.after(limitMs, () =>
      reject(new UnavailableError('queue', `the queue's store did not answer within ${limitMs} ms`)),
    );
  });
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, limit]);
  } finally {
    cancel();
  }
}
