/** The game leases as another service of the platform takes them: by the contract, and by nothing of this program. */
import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import type { RedisClient } from '../../../src/adapters/redis/connection.js';

export interface OtherLeases {
  /** The token when the lease was free, else undefined. */
  readonly take: (gameId: string, ttlMs?: number) => Promise<string | undefined>;
  /** False when it was no longer ours. */
  readonly giveBack: (gameId: string, token: string) => Promise<boolean>;
  /** The token of the present holder. */
  readonly holder: (gameId: string) => Promise<string | undefined>;
}

const TTL_MS = 30_000;

export function createOtherLeases({
  db,
  redis,
}: {
  readonly db: Pool;
  readonly redis: RedisClient | undefined;
}): OtherLeases {
  return redis === undefined ? inPostgres(db) : inRedis(redis);
}

const newToken = (): string => randomBytes(32).toString('base64url');

const TAKE = `
INSERT INTO game_leases AS l (game_id, token, expires_at, fence)
VALUES ($1, $2, now() + $3::int * interval '1 ms', 1)
ON CONFLICT (game_id) DO UPDATE SET token = $2, expires_at = now() + $3::int * interval '1 ms', fence = l.fence + 1
WHERE l.expires_at <= now()`;

function inPostgres(db: Pool): OtherLeases {
  return {
    take: async (gameId, ttlMs = TTL_MS) => {
      const token = newToken();
      const { rowCount } = await db.query(TAKE, [gameId, token, ttlMs]);
      return rowCount === 1 ? token : undefined;
    },
    giveBack: async (gameId, token) => {
      const end = `UPDATE game_leases SET expires_at = date_trunc('milliseconds', now())
                   WHERE game_id = $1 AND token = $2 AND expires_at > now()`;
      return (await db.query(end, [gameId, token])).rowCount === 1;
    },
    holder: async (gameId) => {
      const held = 'SELECT token FROM game_leases WHERE game_id = $1 AND expires_at > now()';
      return (await db.query<{ token: string }>(held, [gameId])).rows[0]?.token;
    },
  };
}

const GIVE_BACK = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

function inRedis(redis: RedisClient): OtherLeases {
  const keyOf = (gameId: string): string => `rtmanager:game_lease:${Buffer.from(gameId).toString('base64url')}`;
  return {
    take: async (gameId, ttlMs = TTL_MS) => {
      const token = newToken();
      return (await redis.set(keyOf(gameId), token, 'PX', ttlMs, 'NX')) === 'OK' ? token : undefined;
    },
    giveBack: async (gameId, token) => (await redis.eval(GIVE_BACK, 1, keyOf(gameId), token)) === 1,
    holder: async (gameId) => (await redis.get(keyOf(gameId))) ?? undefined,
  };
}
