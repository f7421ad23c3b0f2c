import { createRedis, type RedisRole, untilReady } from '../../adapters/redis/connection.js';
import { checkRedisServer } from '../../adapters/redis/server-check.js';
import { ConfigurationError, messageOf, UnavailableError } from '../../domain/errors.js';
import type { ShutdownStack } from '../shutdown-stack.js';
import type { Context } from '../context.js';
import { waitForDependency } from '../wait-for-dependency.js';

export type RedisClient = ReturnType<typeof createRedis>;

const READY_WITHIN_MS = 2_000;

/** A connected client. Refuses a server that may evict keys, with the reason; waits while a replica answers at the address. */
export async function connectRedis(
  context: Context,
  role: RedisRole,
  closing: Pick<ShutdownStack, 'add'>,
): Promise<RedisClient> {
  const { config, log, signal } = context;
  if (config.redisUrl === null) throw new ConfigurationError('REDIS_URL is not set, but a setting asks for Redis');
  const redis = createRedis({
    url: config.redisUrl,
    role,
    family: context.redisConnections,
    onError: (error) => log.debug({ reason: messageOf(error), role }, 'Redis connection error'),
  });
  closing.add(`Redis connection for ${role}`, async () => redis.disconnect());
  await waitForDependency(context, 'Redis', async () => {
    await untilReady(redis, READY_WITHIN_MS, signal);
    try {
      await checkRedisServer(redis);
    } catch (error) {
      // A connection to a replica would stay one.
      if (error instanceof UnavailableError) redis.disconnect(true);
      throw error;
    }
  });
  return redis;
}
