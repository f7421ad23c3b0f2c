import type { Redis } from 'ioredis';
import { ConfigurationError, UnavailableError } from '../../domain/errors.js';
import type { HostAndPort, RedisAddress } from '../../domain/redis-address.js';
import type { TlsOptions } from './client-options.js';
import { ioredis } from './connection.js';
import { parseInfo, type RedisInfo, requireMode, watchedBy } from './server-mode.js';

type NodesAddress = Extract<RedisAddress, { kind: 'cluster' | 'sentinel' }>;

const ANSWER_LIMIT_MS = 1_000;

interface Answer {
  readonly name: string;
  readonly info: RedisInfo;
}

/**
 * Why a client of a cluster or of sentinels does not become ready, as an error to throw: ioredis itself says only that no
 * node is available. A `ConfigurationError` where waiting cannot help. Undefined when no node of the address answers.
 */
export async function explainUnready(address: NodesAddress, tls?: TlsOptions): Promise<Error | undefined> {
  const answers = await Promise.all(address.nodes.map((node) => ask(address, node, tls)));
  return judgeUnready(
    address,
    answers.filter((answer) => answer !== undefined),
  );
}

/** Exported for its test. */
export function judgeUnready(address: NodesAddress, answers: readonly Answer[]): Error | undefined {
  if (answers.length === 0) return undefined;
  try {
    for (const { info, name } of answers) requireMode(address.kind, info, name);
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  return address.kind === 'sentinel' ? unknownMaster(address.master, answers) : downCluster(answers);
}

function unknownMaster(master: string, answers: readonly Answer[]): Error | undefined {
  const watched = new Set(answers.flatMap(({ info }) => watchedBy(info)));
  if (watched.has(master)) return undefined;
  return new ConfigurationError(
    `REDIS_URL does not fit: the sentinels watch no master named ${JSON.stringify(master)}; ` +
      `end the address with one of the names that they watch: ${Array.from(watched, (name) => `#${name}`).join(', ') || 'none'}`,
  );
}

function downCluster(answers: readonly Answer[]): Error | undefined {
  const down = answers.find(({ info }) => info.get('cluster_state') === 'fail');
  if (down === undefined) return undefined;
  const served = down.info.get('cluster_slots_ok') ?? '?';
  return new UnavailableError(
    'redis',
    `the Redis Cluster is down: ${down.name} says cluster_state:fail, ${served} of 16384 slots have a master that answers`,
  );
}

async function ask(address: NodesAddress, node: HostAndPort, tls: TlsOptions = {}): Promise<Answer | undefined> {
  const login = address.kind === 'sentinel' ? address.sentinelLogin : address.login;
  const { Redis } = ioredis();
  const client = new Redis({
    ...node,
    ...(login !== null && { username: login.username ?? undefined, password: login.password }),
    ...(address.tls && { tls }),
    connectTimeout: ANSWER_LIMIT_MS,
    commandTimeout: ANSWER_LIMIT_MS,
    enableReadyCheck: false,
    retryStrategy: () => null,
  });
  client.on('error', () => undefined);
  try {
    const info = await client.info();
    const cluster = address.kind === 'cluster' ? await clusterInfo(client) : '';
    return { name: `${node.host}:${node.port}`, info: parseInfo(`${info}\r\n${cluster}`) };
  } catch {
    return undefined;
  } finally {
    client.disconnect();
  }
}

/** Empty for a server that is no node of a cluster. */
const clusterInfo = async (client: Redis): Promise<string> => client.cluster('INFO').then(String, () => '');
