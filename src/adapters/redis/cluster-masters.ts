import type { Cluster, Redis } from 'ioredis';
import { messageOf, UnavailableError } from '../../domain/errors.js';

/** A client of one server, of the master that sentinels name, or of a cluster. */
export type RedisClient = Redis | Cluster;

const SLOTS = 16_384;

export interface RedisMaster {
  /** `host:port`. */
  readonly name: string;
  readonly client: Redis;
}

export const isCluster = (redis: RedisClient): redis is Cluster => redis.isCluster;

/**
 * The masters that together serve all keys, ordered by name. Rejects with `UnavailableError` when a part of the keys has no
 * master or its connection is down: a list without it would look complete.
 */
export async function mastersOf(cluster: Cluster): Promise<readonly RedisMaster[]> {
  const map = await cluster.cluster('SLOTS').catch((error: unknown) => {
    throw new UnavailableError('redis', `the cluster did not answer CLUSTER SLOTS: ${messageOf(error)}`, {
      cause: error,
    });
  });
  const { names, slots } = readSlots(map);
  if (slots !== SLOTS) {
    throw new UnavailableError('redis', `only ${slots} of the ${SLOTS} slots of the Redis Cluster have a master`);
  }
  const connected = new Map(cluster.nodes('master').map((node) => [`${node.options.host}:${node.options.port}`, node]));
  return names.map((name) => {
    const client = connected.get(name);
    if (client === undefined) throw new UnavailableError('redis', `there is no connection to ${name}, a master`);
    return { name, client };
  });
}

/** @param map ranges of slots: `[from, to, [host, port, …] of the master, replicas …]` */
function readSlots(map: unknown): { readonly names: readonly string[]; readonly slots: number } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the library types no answer of CLUSTER
  const ranges = map as readonly [from: number, to: number, master: readonly [host: string, port: number]][];
  const names = new Set(ranges.map(([, , [host, port]]) => `${host}:${port}`));
  return {
    names: Array.from(names).toSorted(),
    slots: ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0),
  };
}
