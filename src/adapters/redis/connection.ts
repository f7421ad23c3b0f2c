import { createRequire } from 'node:module';
import type * as Ioredis from 'ioredis';
import type { Redis } from 'ioredis';
import { ConfigurationError, messageOf, UnavailableError } from '../../domain/errors.js';
import { parseRedisAddress } from '../../domain/redis-address.js';
import { type ClientOptions, clientOptions, type TlsOptions } from './client-options.js';

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

const require = createRequire(import.meta.url);

/**
 * A client that connects, and reconnects for ever, by itself; `disconnect()` or `quit()` ends it. Loads ioredis for the
 * first client, because most installations have no Redis.
 */
export function createRedis({ url, role, onError, tls = {} }: RedisConnectionOptions): Redis {
  const address = parseRedisAddress(url);
  if (address.kind === 'invalid') throw new ConfigurationError(`the address of Redis cannot be used: ${address.why}`);
  if (address.kind === 'cluster' || address.kind === 'sentinel') {
    throw new ConfigurationError(`an address of a ${address.kind} of Redis is not supported yet`);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `require` returns has no type
  const ioredis = require('ioredis') as typeof Ioredis;
  const redis = new ioredis.Redis({ ...clientOptions(address, tls), ...byRole[role] });
  const reported = new Set<string>();
  redis.on('error', (error: Error) => {
    const kind = messageOf(error);
    if (reported.has(kind)) return;
    reported.add(kind);
    onError(error);
  });
  redis.on('ready', () => reported.clear());
  return redis;
}

/**
 * Resolves once the server answers; rejects with `UnavailableError`, which carries the last connection error, after
 * `withinMs` or when the client was ended, and with the signal's reason when it is aborted.
 */
export async function untilReady(redis: Redis, withinMs: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let lastError: unknown;
  const remember = (error: unknown): void => {
    lastError = error;
  };
  redis.on('error', remember);
  const ending = await firstOf(redis, withinMs, signal);
  redis.off('error', remember);
  signal.throwIfAborted();
  if (ending === 'ready') return;
  const why = ending === 'end' ? 'connection was closed' : `did not answer within ${withinMs} ms`;
  const detail = lastError === undefined ? '' : `: ${messageOf(lastError)}`;
  throw new UnavailableError('redis', `Redis ${why}${detail}`, { cause: lastError });
}

function firstOf(redis: Redis, withinMs: number, signal: AbortSignal): Promise<'ready' | 'end' | 'timeout' | 'abort'> {
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
