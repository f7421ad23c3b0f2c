import { type Clock, withDeadline } from '../../../async/clock.js';
import { UnavailableError } from '../../../domain/errors.js';

/** The promise's own ending, or an `UnavailableError` after `limitMs`; see `withDeadline`. */
export function within<T>(clock: Clock, limitMs: number, promise: Promise<T>): Promise<T> {
  const late = (): UnavailableError =>
    new UnavailableError('queue', `the queue's store did not answer within ${limitMs} ms`);
  return withDeadline(clock, limitMs, promise, late);
}
