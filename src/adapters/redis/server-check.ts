import { ConfigurationError, messageOf, UnavailableError } from '../../domain/errors.js';
import { isNoPermission } from './rights.js';

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

/**
 * Refuses, with `ConfigurationError`, a server that may evict leases and jobs when its memory is full, or that is
 * too old. Rejects with `UnavailableError` when the server cannot be asked, and when it is a replica: during a failover
 * the address may lead to one.
 */
export async function checkRedisServer(redis: RedisServerQuestions): Promise<RedisServerFacts> {
  const info = parseInfo(await askInfo(redis));
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

/** Every user may say HELLO; its answer has version and role, here in the words of INFO. */
async function askHello(redis: RedisServerQuestions): Promise<string> {
  try {
    const answer = await redis.hello();
    const fields: readonly unknown[] = Array.isArray(answer) ? answer : [];
    const valueOf = (name: string): unknown => fields[fields.indexOf(name) + 1];
    const version = valueOf('version');
    const role = valueOf('role') === 'replica' ? 'slave' : 'master';
    return `redis_version:${typeof version === 'string' ? version : ''}\r\nrole:${role}`;
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

function parseInfo(text: string): ReadonlyMap<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => !line.startsWith('#') && line.includes(':'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
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
