import { type Clock, withDeadline } from '../../clock.js';
import { UnavailableError } from '../../domain/errors.js';

const LIMIT_MS = 900;

/** A store that hangs is as good as away: whoever asks gets that answer within a second, not the hang. */
export type Soon = <T>(asked: Promise<T>) => Promise<T>;

export const createSoon =
  (clock: Clock): Soon =>
  (asked) =>
    withDeadline(
      clock,
      LIMIT_MS,
      asked,
      () => new UnavailableError('queue', `database or queue did not answer within ${LIMIT_MS} ms; ask again`),
    );
