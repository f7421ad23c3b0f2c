import { ConfigurationError } from '../../domain/errors.js';

/** How a server runs, in the word of its INFO. */
type RedisMode = 'standalone' | 'cluster' | 'sentinel';

/** The answer to INFO. */
export type RedisInfo = ReadonlyMap<string, string>;

export function parseInfo(text: string): RedisInfo {
  const lines = text.split(/\r?\n/).filter((line) => !line.startsWith('#') && line.includes(':'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
}

/** What the address must look like for a server that runs in this mode, and why. */
const CURES: Readonly<Record<RedisMode, { readonly is: string; readonly cure: string }>> = {
  standalone: { is: 'a single Redis server', cure: 'write redis://host:port/database' },
  cluster: {
    is: 'a node of a Redis Cluster, which serves only a part of the keys',
    cure: 'write redis-cluster://host:port,host:port with several of its nodes',
  },
  sentinel: {
    is: 'a sentinel, which serves no keys',
    cure: 'write redis-sentinel://host:port,host:port/database#name with the sentinels and the name of their master',
  },
};

/** Throws a `ConfigurationError` that names the right form of the address when the server runs in another mode. */
export function requireMode(expected: RedisMode, info: RedisInfo, where = 'the server'): void {
  const mode = modeOf(info);
  if (mode === expected) return;
  const { is, cure } = CURES[mode];
  const watched = mode === 'sentinel' ? ` (it watches: ${watchedBy(info).join(', ') || 'none'})` : '';
  throw new ConfigurationError(
    `REDIS_URL does not fit: ${where} is ${is}${watched}; ${cure} (with TLS: ${TLS_SCHEMES[mode]})`,
  );
}

const TLS_SCHEMES: Readonly<Record<RedisMode, string>> = {
  standalone: 'rediss://',
  cluster: 'rediss-cluster://',
  sentinel: 'rediss-sentinel://',
};

/** Servers that only speak the protocol of Redis may report no mode; they are used as one server. */
function modeOf(info: RedisInfo): RedisMode {
  if (info.get('cluster_enabled') === '1') return 'cluster';
  const mode = info.get('redis_mode');
  return mode === 'cluster' || mode === 'sentinel' ? mode : 'standalone';
}

/** The names of the masters that a sentinel watches; INFO has a line `master0:name=…,status=…` for each. */
export function watchedBy(info: RedisInfo): readonly string[] {
  return Array.from(info)
    .filter(([name]) => /^master\d+$/.test(name))
    .map(([, value]) => /(?:^|,)name=([^,]*)/.exec(value)?.[1])
    .filter((name) => name !== undefined);
}
