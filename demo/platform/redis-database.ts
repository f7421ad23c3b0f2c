/** An empty logical database of the given Redis, so that the demo never touches a live platform. */
import type { RedisClient } from '../../src/app/connect/redis.js';
import { ConfigurationError, messageOf } from '../../src/domain/errors.js';

const CLAIM_KEY = 'runtime-cleanup:demo';
/** Not number 0: it is the default, so other programs may start to use it at any time. */
const CANDIDATES = Array.from({ length: 15 }, (_, index) => index + 1);

// KEYS[1] the claim, ARGV[1] the run's id. One script, so that only one of two runs finds the database empty.
const CLAIM = `
if redis.call('DBSIZE') > 0 then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1`;

// KEYS[1] the claim, ARGV[1] the run's id. Empties the database if the claim is still this run's.
const EMPTY = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('FLUSHDB')
return 1`;

export interface ClaimedDatabase {
  readonly number: number;
  readonly empty: () => Promise<void>;
}

/**
 * Claims an empty logical database. `redis` stays on that database, so it must be a connection that has no other user.
 *
 * @throws ConfigurationError when all of them are in use
 */
export async function claimEmptyDatabase(redis: RedisClient, runId: string): Promise<ClaimedDatabase> {
  if (redis.isCluster) {
    throw new ConfigurationError(
      'REDIS_URL is a Redis Cluster, which has no databases but 0, and the demo needs an empty one, so that it does not ' +
        'touch other data; set REDIS_URL to one server, or unset it to use PostgreSQL alone',
    );
  }
  for (const number of CANDIDATES) {
    if (!(await select(redis, number))) break;
    if ((await redis.eval(CLAIM, 1, CLAIM_KEY, runId)) === 1) return { number, empty: () => empty(redis, runId) };
  }
  throw new ConfigurationError(
    'the demo needs an empty logical database (1 to 15) of the Redis in REDIS_URL, so that it does not touch other ' +
      'data, and all of them hold data; set REDIS_URL to another Redis, or unset it to use PostgreSQL alone',
  );
}

/** False when that database does not exist, because fewer are configured. */
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
  throw new ConfigurationError('another program has used the Redis database of the demo, so it is not emptied');
}

/** The same server's address, or that of the same sentinels, with another logical database. */
export function withDatabase(redisUrl: string, number: number): string {
  // A URL parser refuses the hosts of several sentinels.
  const hostsAt = Math.max(redisUrl.indexOf('://') + '://'.length, redisUrl.lastIndexOf('@') + 1);
  const {
    hosts = '',
    path = '',
    query = '',
    fragment = '',
  } = /^(?<hosts>[^/?#]*)(?<path>[^?#]*)\??(?<query>[^#]*)(?<fragment>.*)$/s.exec(redisUrl.slice(hostsAt))?.groups ??
  {};
  const parameters = query.split('&').filter((parameter) => parameter !== '' && !parameter.startsWith('db='));
  const isSocket = redisUrl.toLowerCase().startsWith('unix:');
  if (isSocket) parameters.push(`db=${number}`);
  const end = isSocket ? path : `/${number}`;
  const parameterText = parameters.length === 0 ? '' : `?${parameters.join('&')}`;
  return redisUrl.slice(0, hostsAt) + hosts + end + parameterText + fragment;
}
