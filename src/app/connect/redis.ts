import { createRedis, type RedisClient, type RedisRole, untilReady } from '../../adapters/redis/connection.js';
import { explainUnready } from '../../adapters/redis/explain-unready.js';
import { checkRedis } from '../../adapters/redis/server-check.js';
import { ConfigurationError, messageOf } from '../../domain/errors.js';
import { parseRedisAddress } from '../../domain/redis-address.js';
import type { ShutdownStack } from '../shutdown-stack.js';
import type { Context } from '../context.js';
import { waitForDependency } from '../wait-for-dependency.js';

export type { RedisClient };

const READY_WITHIN_MS = 2_000;

/** A connected client. Refuses a server that may evict keys, or that the address does not fit, with the reason. */
export async function connectRedis(
  context: Context,
  role: RedisRole,
  closing: Pick<ShutdownStack, 'add'>,
): Promise<RedisClient> {
  const { config, log, signal } = context;
  const { redisUrl } = config;
  if (redisUrl === null) throw new ConfigurationError('REDIS_URL is not set, but a setting asks for Redis');
  const redis = createRedis({
    url: redisUrl,
    role,
    onError: (error) => log.debug({ reason: messageOf(error), role }, 'Redis connection error'),
  });
  closing.add(`Redis connection for ${role}`, async () => redis.disconnect());
  await waitForDependency(context, 'Redis', async () => {
    await untilReady(redis, READY_WITHIN_MS, signal).catch(async (error: unknown) => {
      throw (await explanation(redisUrl)) ?? error;
    });
    await checkRedis(redis);
  });
  return redis;
}

/** Of one server the client's own error says enough. */
async function explanation(redisUrl: string): Promise<Error | undefined> {
  const address = parseRedisAddress(redisUrl);
  return address.kind === 'cluster' || address.kind === 'sentinel' ? explainUnready(address) : undefined;
}
