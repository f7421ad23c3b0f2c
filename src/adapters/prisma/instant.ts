import { LAST_INSTANT_MS } from '../../domain/time.js';
import { Prisma } from '../../generated/prisma/client.js';

/**
 * A timestamptz column or expression as milliseconds since the epoch, as text
 * that `Number` reads; infinity stays infinite.
 */
export const epochMs = (sql: string): Prisma.Sql => Prisma.raw(`(extract(epoch FROM ${sql}) * 1000)::text`);

/** Null where JavaScript does not know the instant. */
export function instant(ms: number): Date | null {
  return Math.abs(ms) <= LAST_INSTANT_MS ? new Date(ms) : null;
}
