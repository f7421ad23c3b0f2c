import { Prisma } from '../../generated/prisma/client.js';
import type { Hold } from '../../retention/holds.js';
import { epochMs, instant } from './instant.js';

/** What a hold says beside its game id; all null where a join found none. */
export interface HoldColumns {
  readonly reason: string | null;
  readonly heldBy: string | null;
  readonly heldUntilMs: string | null;
}

/** The select list of `HoldColumns`. */
export const holdColumns = (table: string): Prisma.Sql => Prisma.sql`
  ${Prisma.raw(`${table}.reason, ${table}.held_by AS "heldBy"`)}, ${epochMs(`${table}.held_until`)} AS "heldUntilMs"`;

export function toHold(gameId: string, reason: string, heldBy: string, heldUntilMs: string | null): Hold {
  return { gameId, reason, heldBy, heldUntil: heldUntilMs === null ? null : endOf(Number(heldUntilMs)) };
}

/** An end beyond what a `Date` knows is never, or long ago. */
function endOf(ms: number): Date | null {
  return instant(ms) ?? (ms > 0 ? null : new Date(0));
}
