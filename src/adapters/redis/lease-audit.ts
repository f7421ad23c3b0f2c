import type { AuditedLease, AuditLeases } from '../../audit/audit-ports.js';
import { messageOf, UnavailableError } from '../../domain/errors.js';
import { isCluster, mastersOf, type RedisMaster } from './cluster-masters.js';
import type { RedisClient } from './connection.js';
import { leaseKey } from './lease-store.js';

/** How many keys Redis looks at in one step; its other clients wait during that step. */
const SCAN_COUNT = 500;
/** What Redis answers instead of a time. */
const NO_KEY = -2;
const NO_END = -1;

const PREFIX = leaseKey('');

/** The game leases in Redis, read with SCAN and PTTL alone. In a cluster each master lists its own keys. */
export function createRedisLeaseAudit(redis: RedisClient): AuditLeases {
  async function page(after: string | null) {
    const masters = isCluster(redis) ? await mastersOf(redis) : [{ name: ONLY_SERVER, client: redis }];
    const { name, cursor } = after === null ? { name: masters[0]?.name, cursor: '0' } : readPosition(after);
    const index = masters.findIndex((master) => master.name === name);
    const master = masters[index];
    if (master === undefined) {
      throw new UnavailableError('redis', `${name} is not a master of the Redis Cluster any more`);
    }
    const [next, keys] = await master.client.scan(cursor, 'MATCH', `${PREFIX}*`, 'COUNT', SCAN_COUNT);
    const leases = await Promise.all(keys.map(async (key) => leaseOf(key, await redis.pttl(key))));
    return {
      leases: leases.filter((lease) => lease !== undefined),
      next: positionAfter({ name: master.name, cursor: next }, masters[index + 1]),
    };
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

const ONLY_SERVER = '';

/** A position in the list: the cursor of SCAN on this master. */
interface Position {
  readonly name: string;
  readonly cursor: string;
}

function readPosition(text: string): Position {
  const end = text.lastIndexOf(' ');
  return { name: text.slice(0, end), cursor: text.slice(end + 1) };
}

/** Null: all is listed. SCAN ends with the cursor 0. */
function positionAfter({ name, cursor }: Position, following: RedisMaster | undefined): string | null {
  if (cursor !== '0') return `${name} ${cursor}`;
  return following === undefined ? null : `${following.name} 0`;
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
