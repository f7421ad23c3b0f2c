import { Prisma } from '../../generated/prisma/client.js';

/** `Date` knows the instants up to so many milliseconds from the epoch; PostgreSQL knows more, and infinity. */
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
