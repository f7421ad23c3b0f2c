/** Game leases as another service takes them, by nothing but the contract. */
import { randomBytes } from 'node:crypto';
import type { Database } from '../../src/app/connect/database.js';
import type { RedisClient } from '../../src/app/connect/redis.js';
import { DemoError } from '../wait-until.js';

export interface OtherLeases {
  /** Takes the game's lease for longer than the demonstration lasts. */
  readonly hold: (gameId: string) => Promise<void>;
  readonly giveBack: (gameId: string) => Promise<void>;
}

const HELD_MS = 600_000;

/** `redis` is null where leases are kept in PostgreSQL. */
export function createOtherLeases(database: Pick<Database, 'leaseStore'>, redis: RedisClient | null): OtherLeases {
  const token = randomBytes(32).toString('base64url');
  const { take, release } = redis === null ? inPostgres(database, token) : inRedis(redis, token);
  const certain = async (done: Promise<boolean>, what: string): Promise<void> => {
    if (!(await done)) throw new DemoError(`a game lease could not be ${what}`);
  };
  return {
    hold: (gameId) => certain(take(gameId), 'taken'),
    giveBack: (gameId) => certain(release(gameId), 'given back'),
  };
}

type Act = (gameId: string) => Promise<boolean>;

function inPostgres({ leaseStore }: Pick<Database, 'leaseStore'>, token: string): { take: Act; release: Act } {
  return {
    take: (gameId) => leaseStore.acquire(gameId, token, HELD_MS),
    release: (gameId) => leaseStore.release(gameId, token),
  };
}

function inRedis(redis: RedisClient, token: string): { take: Act; release: Act } {
  const keyOf = (gameId: string): string => `rtmanager:game_lease:${Buffer.from(gameId).toString('base64url')}`;
  return {
    take: async (gameId) => (await redis.set(keyOf(gameId), token, 'PX', HELD_MS, 'NX')) === 'OK',
    // Nobody else can hold it by now, so it need not be compared before it is deleted.
    release: async (gameId) => (await redis.del(keyOf(gameId))) === 1,
  };
}
