import { pageOf, requireLimit } from '../../domain/pages.js';
import { storable } from '../../domain/text.js';
import { Prisma, type PrismaClient } from '../../generated/prisma/client.js';
import type { Hold, HoldEnd, Holds, NewHold } from '../../retention/holds.js';
import { withUnavailable } from './failure.js';
import { type HoldColumns, holdColumns, toHold } from './hold-row.js';
import { isStorableGameId } from './record-row.js';
import { InvalidPageError, BugError, InvalidArgumentError } from '../../domain/errors.js';

/** The retention holds in PostgreSQL; a hold for a time is counted from the database's now. */
export function createHolds({ prisma }: { readonly prisma: PrismaClient }): Holds {
  return {
    put: (hold) => withUnavailable(() => putHold(prisma, hold)),
    remove: async (gameId) => {
      if (!isStorableGameId(gameId)) return undefined;
      const [removed] = await withUnavailable(
        () => prisma.$queryRaw<HoldRow[]>`
          DELETE FROM retention_holds AS h WHERE game_id = ${gameId}::text RETURNING ${HOLD}`,
      );
      return removed === undefined ? undefined : holdOf(removed);
    },
    list: async ({ after, limit }) => {
      requireLimit(limit);
      if (after !== undefined && !isStorableGameId(after)) {
        throw new InvalidPageError('the cursor is no game id; pass the "next" of the page before');
      }
      const rest = after === undefined ? Prisma.empty : Prisma.sql`WHERE h.game_id > ${after}::text`;
      const rows = await withUnavailable(
        () => prisma.$queryRaw<HoldRow[]>`
          SELECT ${HOLD} FROM retention_holds AS h ${rest} ORDER BY h.game_id LIMIT ${limit + 1}::bigint`,
      );
      return pageOf(rows.map(holdOf), limit, ({ gameId }) => gameId);
    },
  };
}

interface HoldRow extends HoldColumns {
  readonly gameId: string;
  readonly reason: string;
  readonly heldBy: string;
}

const HOLD = Prisma.sql`h.game_id AS "gameId", ${holdColumns('h')}`;

const holdOf = (row: HoldRow): Hold => toHold(row.gameId, row.reason, row.heldBy, row.heldUntilMs);

/**
 * One statement. The old hold is locked and read before the new one is written; of two first holds of one game that are
 * put at the same moment the later one wins and says that it replaced none.
 */
async function putHold(
  prisma: PrismaClient,
  { gameId, reason, heldBy, end }: NewHold,
): Promise<{ readonly hold: Hold; readonly replaced: Hold | null }> {
  // What cannot be stored as it is would be stored under another game's id.
  if (!isStorableGameId(gameId)) throw new InvalidArgumentError('a hold was put on a game id that is no storable text');
  const rows = await prisma.$queryRaw<(HoldRow & { readonly old: boolean })[]>`
    WITH old AS MATERIALIZED (
      SELECT * FROM retention_holds WHERE game_id = ${gameId}::text FOR UPDATE
    ), put AS (
      INSERT INTO retention_holds (game_id, reason, held_by, held_until)
      SELECT ${gameId}::text, ${storable(reason)}::text, ${storable(heldBy)}::text, ${endOf(end)}
      FROM (SELECT count(*) FROM old) AS locked
      ON CONFLICT (game_id) DO UPDATE
        SET reason = excluded.reason, held_by = excluded.held_by, held_until = excluded.held_until
      RETURNING *
    ), found AS (
      SELECT *, false AS old FROM put UNION ALL SELECT *, true FROM old
    )
    SELECT ${HOLD}, h.old FROM found AS h`;
  const [hold] = rows.filter((row) => !row.old).map(holdOf);
  const [replaced = null] = rows.filter((row) => row.old).map(holdOf);
  if (hold === undefined) throw new BugError('the database answered an upsert without a row');
  return { hold, replaced };
}

function endOf(end: HoldEnd): Prisma.Sql {
  if (end === null) return Prisma.sql`NULL::timestamptz`;
  return 'forMs' in end
    ? Prisma.sql`now() + ${end.forMs}::float8 * interval '1 millisecond'`
    : Prisma.sql`${end.until.toISOString()}::timestamptz`;
}
