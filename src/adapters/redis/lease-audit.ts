import type { Redis } from 'ioredis';
import type { AuditedLease, AuditLeases } from '../../audit/audit-ports.js';
import { messageOf, UnavailableError } from '../../domain/errors.js';
import { leaseKey } from './lease-store.js';

/** How many keys Redis looks at in one step; its other clients wait during that step. */
const SCAN_COUNT = 500;
/** What Redis answers instead of a time. */
const NO_KEY = -2;
const NO_END = -1;

const PREFIX = leaseKey('');

/** The game leases in Redis, read with SCAN and PTTL alone. */
export function createRedisLeaseAudit(redis: Pick<Redis, 'scan' | 'pttl'>): AuditLeases {
  async function page(after: string | null) {
    const [cursor, keys] = await redis.scan(after ?? '0', 'MATCH', `${PREFIX}*`, 'COUNT', SCAN_COUNT);
    const leases = await Promise.all(keys.map(async (key) => leaseOf(key, await redis.pttl(key))));
    return { leases: leases.filter((lease) => lease !== undefined), next: cursor === '0' ? null : cursor };
  }
  return {
    page: async (after) => {
      try {
        return await page(after);
      } catch (error) {
        throw new UnavailableError('redis', `Redis could not list the game leases: ${messageOf(error)}`, {
          cause: error,
        });
      }
    },
  };
}

function leaseOf(key: string, ttlMs: number): AuditedLease | undefined {
  if (ttlMs === NO_KEY) return undefined;
  const gameId = Buffer.from(key.slice(PREFIX.length), 'base64url').toString('utf8');
  return {
    // Any client may write a key that only looks like a lease's.
    gameId: leaseKey(gameId) === key ? gameId : null,
    lifeMs: ttlMs === NO_END ? null : ttlMs,
    place: `the Redis key ${JSON.stringify(key)}`,
  };
}
