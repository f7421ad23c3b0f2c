import { Prisma } from '../../generated/prisma/client.js';

/** The largest distance of a `Date` from the epoch, in milliseconds; PostgreSQL's range is larger, and has infinity. */
const DATE_LIMIT_MS = 8.64e15;

/**
 * A timestamptz column or expression as milliseconds since the epoch, as text
 * that `Number` reads; infinity stays infinite.
 */
export const epochMs = (sql: string): Prisma.Sql => Prisma.raw(`(extract(epoch FROM ${sql}) * 1000)::text`);

/** Null where JavaScript does not know the instant. */
export function instant(ms: number): Date | null {
  return Math.abs(ms) <= DATE_LIMIT_MS ? new Date(ms) : null;
}
