/** Game leases of another service, taken by the documented contract alone. */
import { randomBytes } from 'node:crypto';
import type { Database } from '../../src/app/connect/database.js';
import type { RedisClient } from '../../src/app/connect/redis.js';
import { DemoError } from '../errors.js';

export interface OtherLeases {
  /** Takes the game's lease for longer than the demo lasts. */
  readonly acquire: (gameId: string) => Promise<void>;
  readonly release: (gameId: string) => Promise<void>;
}

const LEASE_MS = 600_000;

/** `redis` is null where leases are kept in PostgreSQL. */
export function createOtherLeases(database: Pick<Database, 'leaseStore'>, redis: RedisClient | null): OtherLeases {
  const token = randomBytes(32).toString('base64url');
  const { acquire, release } = redis === null ? inPostgres(database, token) : inRedis(redis, token);
  const succeed = async (done: Promise<boolean>, what: string): Promise<void> => {
    if (!(await done)) throw new DemoError(`a game lease could not be ${what}`);
  };
  return {
    acquire: (gameId) => succeed(acquire(gameId), 'acquired'),
    release: (gameId) => succeed(release(gameId), 'released'),
  };
}

interface LeaseCalls {
  readonly acquire: (gameId: string) => Promise<boolean>;
  readonly release: (gameId: string) => Promise<boolean>;
}

function inPostgres({ leaseStore }: Pick<Database, 'leaseStore'>, token: string): LeaseCalls {
  return {
    acquire: (gameId) => leaseStore.acquire(gameId, token, LEASE_MS),
    release: (gameId) => leaseStore.release(gameId, token),
  };
}

function inRedis(redis: RedisClient, token: string): LeaseCalls {
  const keyOf = (gameId: string): string => `rtmanager:game_lease:${Buffer.from(gameId).toString('base64url')}`;
  return {
    acquire: async (gameId) => (await redis.set(keyOf(gameId), token, 'PX', LEASE_MS, 'NX')) === 'OK',
    // The lease outlasts the demo, so no other holder can have it now: deleting without a comparison is safe here.
    release: async (gameId) => (await redis.del(keyOf(gameId))) === 1,
  };
}
