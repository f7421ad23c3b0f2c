import type { LeaseStore } from '../../lease/lease-store.js';
import { UnavailableError } from '../../domain/errors.js';
import { explainFailures } from '../redis-trouble.js';
import type { RedisClient } from './connection.js';
import type { NeededRights } from './rights.js';

/** Shared with every service that starts, stops or restarts a game; part of the public contract. */
const KEY_PREFIX = 'rtmanager:game_lease:';

/** What the leases need of Redis; `RENEW` and `RELEASE` need the rights to all that they call. */
export const REDIS_LEASE_RIGHTS: NeededRights = {
  keyPrefix: KEY_PREFIX,
  commands: ['set KEY v PX 1 NX', 'get KEY', 'pexpire KEY 1'],
};

/** base64url, because a game id may hold any character, also those that mean something to Redis Cluster. */
export function leaseKey(gameId: string): string {
  return KEY_PREFIX + Buffer.from(gameId, 'utf8').toString('base64url');
}

// KEYS[1] the lease's key, ARGV[1] our token, ARGV[2] the new time to live in ms. Returns 1, or 0 if the lease is not ours.
const RENEW = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`;

// KEYS[1] the lease's key, ARGV[1] our token. Returns 1, or 0 if the lease is not ours.
const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

/** Game leases in Redis. Wants a connection of the role `commands`: answered or refused within about a second. */
export function createRedisLeaseStore({ redis }: { readonly redis: RedisClient }): LeaseStore {
  const why = explainFailures(redis);

  // Redis says "not now" in too many ways to list (LOADING, READONLY, OOM, a lost connection): each failure counts as one.
  const asking = async (verb: string, ask: () => Promise<boolean>): Promise<boolean> => {
    try {
      return await ask();
    } catch (error) {
      throw new UnavailableError('redis', `Redis could not ${verb} the game lease: ${why(error)}`, { cause: error });
    }
  };
  return {
    acquire: (gameId, token, ttlMs) =>
      asking('acquire', async () => (await redis.set(leaseKey(gameId), token, 'PX', ttlMs, 'NX')) === 'OK'),
    renew: (gameId, token, ttlMs) =>
      asking('renew', async () => (await redis.eval(RENEW, 1, leaseKey(gameId), token, ttlMs)) === 1),
    release: (gameId, token) =>
      asking('release', async () => (await redis.eval(RELEASE, 1, leaseKey(gameId), token)) === 1),
  };
}
