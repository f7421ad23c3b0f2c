import type * as Ioredis from 'ioredis';
import type { Cluster, Redis, RedisOptions } from 'ioredis';
import type { RedisAddress } from '../../domain/redis-address.js';

type ClusterAddress = Extract<RedisAddress, { kind: 'cluster' }>;

/** For the connection to each node; its constructor takes `replyMapping` left out, but not undefined. */
type NodeOptions = Omit<RedisOptions, 'replyMapping'>;

/** So long after a failover at most a client still believes a master that no longer answers. */
const REFRESH_MS = 2_000;
const REFRESH_TIMEOUT_MS = 1_000;
const RETRY_MS = 200;
/** Sixteen times the delay above: then the caller is told, and decides itself. */
const MAX_REDIRECTIONS = 16;

/**
 * A client that knows which node serves which slot, and learns it anew when a node redirects it, every two seconds, and
 * after each loss of all connections.
 *
 * With `enableOfflineQueue: false` nothing is sent twice: a node that redirects (`MOVED`, `ASK`) has not run the command,
 * so that is followed; a command whose connection broke may have been run, so it is refused.
 */
export function createClusterClient(
  ioredis: typeof Ioredis,
  { nodes, login, tls: isEncrypted }: ClusterAddress,
  { retryStrategy, enableOfflineQueue = true, tls, ...nodeOptions }: NodeOptions,
): Cluster {
  const who = login === null ? {} : { username: login.username ?? undefined, password: login.password };
  const cluster = new ioredis.Cluster([...nodes], {
    redisOptions: { ...nodeOptions, ...who, ...(isEncrypted && { tls }) },
    clusterRetryStrategy: (attempt) => retryStrategy?.(attempt),
    enableOfflineQueue,
    maxRedirections: MAX_REDIRECTIONS,
    // Zero: such a command is refused at once.
    retryDelayOnFailover: enableOfflineQueue ? RETRY_MS : 0,
    retryDelayOnClusterDown: enableOfflineQueue ? RETRY_MS : 0,
    slotsRefreshInterval: REFRESH_MS,
    slotsRefreshTimeout: REFRESH_TIMEOUT_MS,
    // Names stay names: certificates are checked against them.
    dnsLookup: (host, callback) => callback(null, host),
  });
  if (!enableOfflineQueue) connectEagerly(cluster);
  return cluster;
}

/** ioredis connects to a node at the first command for it, and without a queue the commands behind that one are refused. */
function connectEagerly(cluster: Cluster): void {
  const connect = (node: Redis): void => {
    if (node.status === 'wait') node.connect().catch(() => undefined);
  };
  // Not earlier: the client itself asks a node first whether the cluster is ready, and a node that connects refuses it.
  cluster.on('ready', () => cluster.nodes().forEach(connect));
  cluster.on('+node', (node: Redis) => {
    if (cluster.status === 'ready') connect(node);
  });
}

/** A node that connects refuses the commands of a client that keeps none. What does not answer in time is left to connect. */
export async function untilNodesReady(cluster: Cluster): Promise<void> {
  if (cluster.options.enableOfflineQueue === true) return;
  await Promise.allSettled(cluster.nodes().map((node) => node.ping()));
}
