import { clientOptions, type TlsOptions } from '../../adapters/redis/client-options.js';
import { createRedis, type RedisClient, type RedisRole, untilReady } from '../../adapters/redis/connection.js';
import { diagnoseConnection, saysNothing } from '../../adapters/redis/diagnose-connection.js';
import { explainUnready } from '../../adapters/redis/explain-unready.js';
import { checkRedis } from '../../adapters/redis/server-check.js';
import { createTlsOptions } from '../../adapters/redis/tls-files.js';
import { connectionTrouble } from '../../adapters/redis-trouble.js';
import { ConfigurationError, messageOf, UnavailableError } from '../../domain/errors.js';
import { parseRedisAddress } from '../../domain/redis-address.js';
import type { ShutdownStack } from '../shutdown-stack.js';
import type { Context } from '../context.js';
import { waitForDependency } from '../wait-for-dependency.js';

export type { RedisClient };

const READY_WITHIN_MS = 2_000;

/**
 * A connected client. Refuses a server that may evict keys, or that the address does not fit, with the reason; waits while a
 * replica answers at the address.
 */
export async function connectRedis(
  context: Context,
  role: RedisRole,
  closing: Pick<ShutdownStack, 'add'>,
): Promise<RedisClient> {
  const { config, log, signal } = context;
  const { redisUrl } = config;
  if (redisUrl === null) throw new ConfigurationError('REDIS_URL is not set, but a setting asks for Redis');
  const tls = redisTls(context);
  const redis = createRedis({
    url: redisUrl,
    tls,
    role,
    family: context.redisConnections,
    onError: (error) => log.debug({ reason: messageOf(error), role }, 'Redis connection error'),
  });
  closing.add(`Redis connection for ${role}`, async () => redis.disconnect());
  await waitForDependency(context, 'Redis', async () => {
    await untilReady(redis, READY_WITHIN_MS, signal).catch((error: unknown) => explain(error, redisUrl, tls));
    try {
      await checkRedis(redis);
    } catch (error) {
      // A connection to a replica would stay one.
      if (error instanceof UnavailableError) redis.disconnect(true);
      throw error;
    }
  });
  return redis;
}

/** The TLS options of the settings; undefined where the address asks for none. */
function redisTls({ config, log }: Pick<Context, 'config' | 'log'>): TlsOptions | undefined {
  const address = parseRedisAddress(config.redisUrl ?? '');
  if (address.kind === 'invalid' || !address.tls) return undefined;
  const files = { caFile: config.redisTlsCaFile, certFile: config.redisTlsCertFile, keyFile: config.redisTlsKeyFile };
  return createTlsOptions(files, (error) =>
    log.warn({ reason: error.message }, 'TLS files for Redis cannot be used; those read before serve on'),
  );
}

/** Rejects with the reason why no connection was made, also where the connection's own error does not say it. */
async function explain(error: unknown, redisUrl: string, tls: TlsOptions | undefined): Promise<never> {
  const address = parseRedisAddress(redisUrl);
  if (!(error instanceof UnavailableError)) throw error;
  if (address.kind === 'cluster' || address.kind === 'sentinel') throw (await explainUnready(address, tls)) ?? error;
  if (!saysNothing(error.cause) || address.kind !== 'server') throw error;
  const { host, port } = address;
  const diagnosis = await diagnoseConnection({ host, port }, tls && clientOptions(address, tls).tls);
  switch (diagnosis?.kind) {
    case undefined:
      throw error;
    case 'speaks-tls':
      throw new ConfigurationError(
        `REDIS_URL: ${host}:${port} speaks TLS; allowed there: rediss:// in place of redis://`,
      );
    case 'speaks-no-tls':
      throw new ConfigurationError(
        `REDIS_URL: ${host}:${port} speaks no TLS; allowed there: redis:// in place of rediss://, or the port for TLS`,
      );
    case 'failure':
      throw new UnavailableError('redis', `Redis refuses the connection: ${connectionTrouble(diagnosis.error)}`, {
        cause: diagnosis.error,
      });
  }
}
