import { createRequire } from 'node:module';
import type * as Ioredis from 'ioredis';
import { ConfigurationError, messageOf, UnavailableError } from '../../domain/errors.js';
import { parseRedisAddress } from '../../domain/redis-address.js';
import { needsNewConnection } from '../redis-replies.js';
import { connectionTrouble, onTrouble } from '../redis-trouble.js';
import { type ClientOptions, clientOptions, type TlsOptions } from './client-options.js';
import { createClusterClient, untilNodesReady } from './cluster-client.js';
import { isCluster, type RedisClient } from './cluster-masters.js';
import { type ConnectionFamily, createConnectionFamily } from './renewal.js';
import { createSentinelClient } from './sentinel-client.js';

export type { RedisClient };

/**
 * `commands`: short questions that must be answered or refused within about a second, and never be sent twice.
 * `blocking`: for queue consumers, whose commands wait inside Redis and are sent again after a reconnection.
 */
export type RedisRole = 'commands' | 'blocking';

export interface RedisConnectionOptions {
  /** In the grammar of `REDIS_URL`. */
  readonly url: string;
  /** For an address with TLS. Default: the authorities that Node knows, and no client certificate. */
  readonly tls?: TlsOptions | undefined;
  readonly role: RedisRole;
  /** Called once for each kind of error of an outage, not for each attempt to reconnect. */
  readonly onError: (error: Error) => void;
  /** The connections that are made anew together with this one. Default: those that are duplicated from it. */
  readonly family?: ConnectionFamily | undefined;
}

const CONNECT_TIMEOUT_MS = 2_000;
const COMMAND_TIMEOUT_MS = 1_000;
const RETRY_FIRST_MS = 50;
/** Short, because BullMQ's locks survive a short outage only if the reconnection comes soon. */
const RETRY_MAX_MS = 1_000;
const RETRY_JITTER_MS = 200;
/** Without it a connection that a firewall dropped silently counts as open until the kernel's limit, about 15 minutes. */
const SILENCE_COMMANDS_MS = 5_000;
/** Longer than BullMQ ever blocks for one answer (10 s). */
const SILENCE_BLOCKING_MS = 30_000;

const shared: ClientOptions = {
  connectTimeout: CONNECT_TIMEOUT_MS,
  keepAlive: 10_000,
  // How often a server that still loads its data is asked whether it has finished; by default up to 10 s apart.
  maxLoadingRetryTime: 1_000,
  retryStrategy: (attempt) =>
    Math.min(RETRY_FIRST_MS * 2 ** Math.min(attempt - 1, 10), RETRY_MAX_MS) +
    Math.floor(Math.random() * RETRY_JITTER_MS),
};

const byRole: Readonly<Record<RedisRole, ClientOptions>> = {
  commands: {
    ...shared,
    enableOfflineQueue: false,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SILENCE_COMMANDS_MS,
    // Zero retries: what was under way when the connection broke is refused at once. Sent again, an acquisition that
    // had been carried out would find its own key and read it as another holder's.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  },
  blocking: { ...shared, socketTimeout: SILENCE_BLOCKING_MS, maxRetriesPerRequest: null },
};

/** A server that accepts connections and says no more. */
const ACCEPTED_ONLY = 'it accepts connections, but still loads its data, or hangs';

const require = createRequire(import.meta.url);

/** The library, loaded at its first use, because most installations have no Redis. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `require` returns has no type
export const ioredis = (): typeof Ioredis => require('ioredis') as typeof Ioredis;

/** A client that connects, and reconnects for ever, by itself; `disconnect()` or `quit()` ends it. */
export function createRedis(options: RedisConnectionOptions): RedisClient {
  const redis = createClient(options);
  const reported = new Set<string>();
  onTrouble(redis, (error) => {
    const kind = messageOf(error);
    if (reported.has(kind)) return;
    reported.add(kind);
    options.onError(error);
  });
  redis.on('ready', () => reported.clear());
  return redis;
}

function createClient({ url, role, tls = {}, family = createConnectionFamily() }: RedisConnectionOptions): RedisClient {
  const address = parseRedisAddress(url);
  const options = { ...byRole[role], reconnectOnError: family.reconnectOnError };
  switch (address.kind) {
    case 'invalid':
      throw new ConfigurationError(`the address of Redis cannot be used: ${address.why}`);
    case 'cluster':
      // Each node has a failover of its own.
      return createClusterClient(ioredis(), address, { ...options, tls, reconnectOnError: isOfNoUse });
    case 'sentinel':
      return family.join(createSentinelClient(ioredis(), address, { ...options, tls }));
    default:
      return family.join(new (ioredis().Redis)({ ...clientOptions(address, tls), ...options }));
  }
}

const isOfNoUse = (reply: Error): boolean => needsNewConnection(messageOf(reply));

/**
 * Resolves once the server answers; rejects with `UnavailableError`, which carries the last connection error, after
 * `withinMs` or when the client was ended, and with the signal's reason when it is aborted.
 */
export async function untilReady(redis: RedisClient, withinMs: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let lastError: unknown;
  const forget = onTrouble(redis, (error) => {
    lastError = error;
  });
  const ending = await firstOf(redis, withinMs, signal);
  forget();
  signal.throwIfAborted();
  if (ending === 'ready') return isCluster(redis) ? untilNodesReady(redis) : undefined;
  const why = ending === 'end' ? 'connection was closed' : `did not answer within ${withinMs} ms`;
  // ioredis reports a connection as ready once the server says that it has loaded its data.
  const accepted = redis.status === 'connect' ? `: ${ACCEPTED_ONLY}` : '';
  const detail = lastError === undefined ? accepted : `: ${connectionTrouble(lastError)}`;
  throw new UnavailableError('redis', `Redis ${why}${detail}`, { cause: lastError });
}

function firstOf(
  redis: RedisClient,
  withinMs: number,
  signal: AbortSignal,
): Promise<'ready' | 'end' | 'timeout' | 'abort'> {
  const { status } = redis;
  if (status === 'ready' || status === 'end') return Promise.resolve(status);
  return new Promise((resolve) => {
    const settleAs = (ending: 'ready' | 'end' | 'timeout' | 'abort') => (): void => {
      clearTimeout(timer);
      redis.off('ready', onReady).off('end', onEnd);
      signal.removeEventListener('abort', onAbort);
      resolve(ending);
    };
    const onReady = settleAs('ready');
    const onEnd = settleAs('end');
    const onAbort = settleAs('abort');
    const timer = setTimeout(settleAs('timeout'), withinMs);
    redis.on('ready', onReady).on('end', onEnd);
    signal.addEventListener('abort', onAbort);
  });
}
