import type { LeaseStore } from '../../lease/lease-store.js';
import { messageOf, UnavailableError } from '../../domain/errors.js';
import { onTrouble, type RedisClient } from './connection.js';

/** Shared with every service that starts, stops or restarts a game; part of the public contract. */
const KEY_PREFIX = 'rtmanager:game_lease:';

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
  // A refused command says only that there is no connection; the reason was an earlier `error` event of the client.
  let lastTrouble: Error | undefined;
  onTrouble(redis, (error) => {
    lastTrouble = error;
  });
  redis.on('ready', () => {
    lastTrouble = undefined;
  });
  const noConnection = (): string =>
    lastTrouble === undefined ? 'no connection' : `no connection: ${messageOf(lastTrouble)}`;

  // Redis says "not now" in too many ways to list (LOADING, READONLY, OOM, a lost connection): each failure counts as one.
  const asking = async (verb: string, ask: () => Promise<boolean>): Promise<boolean> => {
    const connected = redis.status === 'ready';
    try {
      return await ask();
    } catch (error) {
      const why = connected ? messageOf(error) : noConnection();
      throw new UnavailableError('redis', `Redis could not ${verb} the game lease: ${why}`, { cause: error });
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
