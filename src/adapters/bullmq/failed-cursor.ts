import { InvalidPageError } from '../../domain/pages.js';
import type { FailedPosition } from './failed-set.js';

const CURSOR = /^(?<failedAtMs>\d{1,16})\.(?<jobId>[\w-]+)$/;

/** A position as text that may stand in an URL. */
export function cursorOf({ failedAtMs, jobId }: FailedPosition): string {
  return `${failedAtMs}.${Buffer.from(jobId).toString('base64url')}`;
}

export function positionOf(cursor: string | undefined): FailedPosition | null {
  if (cursor === undefined) return null;
  const { failedAtMs, jobId } = CURSOR.exec(cursor)?.groups ?? {};
  if (failedAtMs === undefined || jobId === undefined) {
    throw new InvalidPageError('the cursor is no place in the dead letters; pass the "next" of the page before');
  }
  return { failedAtMs: Number(failedAtMs), jobId: Buffer.from(jobId, 'base64url').toString() };
}
