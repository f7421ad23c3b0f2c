import { InvalidPageError } from '../../../domain/errors.js';
import { readCursor, writeCursor } from '../../../domain/pages.js';
import { LAST_INSTANT_MS } from '../../../domain/time.js';
import type { FailedPosition } from '../store/failed-set.js';
import { isJobId } from '../store/stored-text.js';

export const cursorOf = ({ failedAtMs, jobId }: FailedPosition): string => writeCursor([failedAtMs, jobId]);

/** Throws an `InvalidPageError` for text that `cursorOf` did not write. */
export function positionOf(cursor: string | undefined): FailedPosition | null {
  if (cursor === undefined) return null;
  const [failedAtMs, jobId, ...rest] = readCursor(cursor) ?? [];
  if (isInstant(failedAtMs) && typeof jobId === 'string' && isJobId(jobId) && rest.length === 0) {
    return { failedAtMs, jobId };
  }
  throw new InvalidPageError('the cursor is no place in the dead letters; pass the "next" of the page before');
}

const isInstant = (value: unknown): value is number => typeof value === 'number' && Math.abs(value) <= LAST_INSTANT_MS;
