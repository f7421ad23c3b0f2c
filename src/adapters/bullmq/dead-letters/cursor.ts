import { type FailedPosition, LAST_INSTANT_MS } from '../store/failed-set.js';
import { isJobId } from '../store/stored-text.js';
import { InvalidPageError } from '../../../domain/errors.js';

/** A position as text that may stand in a URL. */
export function cursorOf({ failedAtMs, jobId }: FailedPosition): string {
  return Buffer.from(JSON.stringify([failedAtMs, jobId])).toString('base64url');
}

/** Throws an `InvalidPageError` for text that `cursorOf` never wrote. */
export function positionOf(cursor: string | undefined): FailedPosition | null {
  if (cursor === undefined) return null;
  const parts = parsed(Buffer.from(cursor, 'base64url').toString());
  if (Array.isArray(parts) && parts.length === 2) {
    const [failedAtMs, jobId] = parts as readonly unknown[];
    if (isInstant(failedAtMs) && typeof jobId === 'string' && isJobId(jobId)) return { failedAtMs, jobId };
  }
  throw new InvalidPageError('the cursor is no place in the dead letters; pass the "next" of the page before');
}

const isInstant = (value: unknown): value is number => typeof value === 'number' && Math.abs(value) <= LAST_INSTANT_MS;

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
