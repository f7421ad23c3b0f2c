import type * as Ioredis from 'ioredis';
import type { Redis, RedisOptions } from 'ioredis';
import type { RedisAddress } from '../../domain/redis-address.js';
import { patchedSentinelConnector } from './patches/sentinel-connector.js';

type SentinelAddress = Extract<RedisAddress, { kind: 'sentinel' }>;

type Options = Omit<RedisOptions, 'replyMapping'>;

const SENTINEL_TIMEOUT_MS = 1_000;
const SENTINEL_RECONNECT_MS = 5_000;

/** A client of the master that the sentinels name. It follows them to the next master as soon as they say so. */
export function createSentinelClient(ioredis: typeof Ioredis, address: SentinelAddress, options: Options): Redis {
  const { nodes, master: name, database: db, login, sentinelLogin } = address;
  const { retryStrategy, tls, ...others } = options;
  return new ioredis.Redis({
    ...others,
    Connector: patchedSentinelConnector(ioredis),
    sentinels: [...nodes],
    name,
    db,
    ...(address.tls && { tls, sentinelTLS: tls, enableTLSForSentinelMode: true }),
    ...(login !== null && { username: login.username ?? undefined, password: login.password }),
    ...(sentinelLogin !== null && {
      sentinelUsername: sentinelLogin.username ?? undefined,
      sentinelPassword: sentinelLogin.password,
    }),
    sentinelRetryStrategy: (attempt) => retryStrategy?.(attempt),
    sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
    // Listens at the sentinels for a new master: one that is frozen or cut off does not close our connection.
    failoverDetector: true,
    sentinelReconnectStrategy: () => SENTINEL_RECONNECT_MS,
  });
}
