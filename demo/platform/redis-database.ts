/** A logical database of the given Redis that nobody uses, so that no live platform is ever touched. */
import type { RedisClient } from '../../src/app/connect/redis.js';
import { ConfigurationError, messageOf } from '../../src/domain/errors.js';

const CLAIM_KEY = 'runtime-cleanup:demo';
/** Number 0 is where everybody works who never thought about it. */
const CANDIDATES = Array.from({ length: 15 }, (_, index) => index + 1);

// KEYS[1] the claim, ARGV[1] our run. One script, so that of two runs only one finds the database empty.
const CLAIM = `
if redis.call('DBSIZE') > 0 then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1`;

// KEYS[1] the claim, ARGV[1] our run. Empties the database if it is still ours.
const EMPTY = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('FLUSHDB')
return 1`;

export interface ClaimedDatabase {
  readonly number: number;
  readonly empty: () => Promise<void>;
}

/**
 * Claims an empty logical database; `redis` must be a connection of the caller's own and stays on that database.
 *
 * @throws ConfigurationError when there is none
 */
export async function claimEmptyDatabase(redis: RedisClient, runId: string): Promise<ClaimedDatabase> {
  for (const number of CANDIDATES) {
    if (!(await select(redis, number))) break;
    if ((await redis.eval(CLAIM, 1, CLAIM_KEY, runId)) === 1) return { number, empty: () => empty(redis, runId) };
  }
  throw new ConfigurationError(
    'the demo wants an empty logical database (1 to 15) of the Redis in REDIS_URL, so that it touches nothing else ' +
      'there, and there is none; name another Redis, or unset REDIS_URL to use PostgreSQL alone',
  );
}

/** False where there is no such database: fewer are configured, or it is a cluster, which has but one. */
async function select(redis: RedisClient, number: number): Promise<boolean> {
  try {
    await redis.select(number);
    return true;
  } catch (error) {
    if (/out of range|not allowed|invalid DB/i.test(messageOf(error))) return false;
    throw error;
  }
}

async function empty(redis: RedisClient, runId: string): Promise<void> {
  if ((await redis.eval(EMPTY, 1, CLAIM_KEY, runId)) === 1) return;
  throw new ConfigurationError('the database of the demo was taken over by somebody else and is left as it is');
}

/** The same server's address with another logical database. */
export function withDatabase(redisUrl: string, number: number): string {
  const url = new URL(redisUrl);
  url.pathname = `/${number}`;
  url.searchParams.delete('db');
  return url.href;
}
