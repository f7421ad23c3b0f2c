import type { Pool } from 'pg';
import type { AuditLeases } from '../../audit/audit-ports.js';
import { withUnavailable } from './failure.js';

const PAGE = 1_000;

/** A row whose time is over stays for its fence. Both times as numbers: one of them may be `infinity`. */
const LIVE = `
SELECT game_id, (extract(epoch FROM expires_at) * 1000)::float8 - (extract(epoch FROM now()) * 1000)::float8 AS life_ms
FROM game_leases WHERE expires_at > now() AND ($1::text IS NULL OR game_id > $1) ORDER BY game_id LIMIT ${PAGE}`;

/** The game leases in the table `game_leases`, by the database's clock. */
export function createPostgresLeaseAudit({ pool }: { readonly pool: Pool }): AuditLeases {
  return {
    page: (after) =>
      withUnavailable(async () => {
        const { rows } = await pool.query<{ game_id: string; life_ms: number }>(LIVE, [after]);
        const last = rows.at(-1);
        return {
          leases: rows.map(({ game_id: gameId, life_ms: lifeMs }) => ({
            gameId,
            lifeMs: Number.isFinite(lifeMs) ? lifeMs : null,
            place: `the row of game_leases with the game id ${JSON.stringify(gameId)}`,
          })),
          next: last === undefined || rows.length < PAGE ? null : last.game_id,
        };
      }),
  };
}
