import { ConfigurationError, messageOf, UnavailableError } from '../../domain/errors.js';
import { isCluster, mastersOf, type RedisMaster } from './cluster-masters.js';
import type { RedisClient } from './connection.js';
import { isNoPermission } from './rights.js';
import { parseInfo, requireMode } from './server-mode.js';

export interface RedisServerFacts {
  readonly version: string;
  /** Undefined if the server reports it neither by INFO nor by CONFIG. */
  readonly maxmemoryPolicy: string | undefined;
}

/** What the check needs of an ioredis client. */
export interface RedisServerQuestions {
  readonly info: () => Promise<string>;
  readonly hello: () => Promise<unknown>;
  readonly config: (subcommand: 'GET', name: string) => Promise<unknown>;
}

/** The oldest version that BullMQ runs on without a warning. */
const MIN_VERSION = '6.2.0';
const SAFE_POLICY = 'noeviction';

/** Checks the server, or each master of the cluster; the facts are those of the oldest one. */
export async function checkRedis(redis: RedisClient): Promise<RedisServerFacts> {
  if (!isCluster(redis)) return checkRedisServer(redis);
  const found = await Promise.all((await mastersOf(redis)).map(checkMaster));
  const [oldest = NO_FACTS] = found.toSorted((one, other) => (isOlder(one.version, other.version) ? -1 : 1));
  const isKnown = found.every(({ maxmemoryPolicy }) => maxmemoryPolicy !== undefined);
  return isKnown ? oldest : { ...oldest, maxmemoryPolicy: undefined };
}

const NO_FACTS: RedisServerFacts = { version: '', maxmemoryPolicy: undefined };

async function checkMaster({ name, client }: RedisMaster): Promise<RedisServerFacts> {
  try {
    return await checkRedisServer(client, 'cluster');
  } catch (error) {
    if (error instanceof ConfigurationError)
      throw new ConfigurationError(`${name}: ${error.message}`, { cause: error });
    throw error;
  }
}

/**
 * Refuses, with `ConfigurationError`, a server that may evict leases and jobs when its memory is full, that is too old, or
 * that the address does not fit. Rejects with `UnavailableError` when the server cannot be asked, and when it is a
 * replica: during a failover the address may lead to one.
 */
export async function checkRedisServer(
  redis: RedisServerQuestions,
  expected: 'standalone' | 'cluster' = 'standalone',
): Promise<RedisServerFacts> {
  const info = parseInfo(await askInfo(redis));
  requireMode(expected, info);
  const version = info.get('redis_version') ?? '';
  if (isOlder(version, MIN_VERSION)) {
    throw new ConfigurationError(`Redis has version ${version || 'unknown'}; allowed: ${MIN_VERSION} or newer`);
  }
  if (info.get('role') === 'slave') {
    const primary = `${info.get('master_host') ?? '?'}:${info.get('master_port') ?? '?'}`;
    throw new UnavailableError('redis', `READONLY the server at this address is a replica of ${primary}`);
  }
  const maxmemoryPolicy = info.get('maxmemory_policy') ?? (await askConfig(redis));
  if (maxmemoryPolicy !== undefined && maxmemoryPolicy !== SAFE_POLICY) {
    throw new ConfigurationError(
      `Redis has maxmemory-policy ${maxmemoryPolicy}; allowed: ${SAFE_POLICY}, because any other lets Redis drop leases and jobs when its memory is full. ` +
        `Set it with "redis-cli CONFIG SET maxmemory-policy ${SAFE_POLICY}", and "maxmemory-policy ${SAFE_POLICY}" in redis.conf (on a hosted Redis: in its settings)`,
    );
  }
  return { version, maxmemoryPolicy };
}

// INFO comes first because hosted servers often forbid CONFIG; a few servers leave the policy out of INFO.
async function askInfo(redis: RedisServerQuestions): Promise<string> {
  try {
    return await redis.info();
  } catch (error) {
    if (isNoPermission(error)) return askHello(redis);
    throw new UnavailableError('redis', `Redis did not answer INFO: ${messageOf(error)}`, { cause: error });
  }
}

/** Every user may say HELLO; its answer has version, mode and role, here in the words of INFO. */
async function askHello(redis: RedisServerQuestions): Promise<string> {
  try {
    const answer = await redis.hello();
    const fields: readonly unknown[] = Array.isArray(answer) ? answer : [];
    const valueOf = (name: string): string => {
      const value = fields[fields.indexOf(name) + 1];
      return typeof value === 'string' ? value : '';
    };
    const role = valueOf('role') === 'replica' ? 'slave' : 'master';
    return `redis_version:${valueOf('version')}\r\nredis_mode:${valueOf('mode')}\r\nrole:${role}`;
  } catch (error) {
    throw new UnavailableError('redis', `Redis did not answer HELLO: ${messageOf(error)}`, { cause: error });
  }
}

async function askConfig(redis: RedisServerQuestions): Promise<string | undefined> {
  try {
    const answer = await redis.config('GET', 'maxmemory-policy');
    const value: unknown = Array.isArray(answer) ? answer[1] : undefined;
    return typeof value === 'string' ? value : undefined;
  } catch (error) {
    if (/NOPERM|unknown command|disabled/i.test(messageOf(error))) return undefined;
    throw new UnavailableError('redis', `Redis did not answer CONFIG GET: ${messageOf(error)}`, { cause: error });
  }
}

function isOlder(version: string, than: string): boolean {
  const numbers = (text: string): readonly number[] => text.split('.').map((part) => Number.parseInt(part, 10) || 0);
  const [have, want] = [numbers(version), numbers(than)];
  for (const [at, wanted] of want.entries()) {
    const found = have[at] ?? 0;
    if (found !== wanted) return found < wanted;
  }
  return false;
}
