/**
 * The grammar of `REDIS_URL`. Settings and adapter read it with this one function, so that an address that passes the
 * start cannot be refused when the client connects. Clusters and sentinels are written as for other clients (Lettuce):
 * several nodes separated by commas, and the sentinels' name of the master behind `#`.
 */
export type RedisAddress =
  | (RedisLogin & HostAndPort & { readonly kind: 'server' })
  | (RedisLogin & { readonly kind: 'socket'; readonly socketPath: string })
  | (RedisLogin & { readonly kind: 'cluster'; readonly nodes: readonly HostAndPort[] })
  | (RedisLogin & {
      readonly kind: 'sentinel';
      readonly nodes: readonly HostAndPort[];
      /** The name under which the sentinels watch the master. */
      readonly master: string;
      /** How to log in at the sentinels themselves; null: without a login. */
      readonly sentinelLogin: Login | null;
    });

export interface HostAndPort {
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
}

interface Login {
  /** Null: the user `default`. */
  readonly username: string | null;
  readonly password: string;
}

interface RedisLogin {
  readonly tls: boolean;
  /** Null: no login. */
  readonly login: Login | null;
  /** The number of the database; a cluster has only 0. */
  readonly database: number;
}

interface Refused {
  readonly kind: 'invalid';
  readonly why: string;
}

export const REDIS_ADDRESSES_ALLOWED =
  'redis://user:password@host:port/database, unix:///path?db=database, redis-cluster://host:port,host:port or ' +
  'redis-sentinel://host:port,host:port/database#master; with TLS rediss://, rediss-cluster:// or rediss-sentinel://';

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;

type Kind = RedisAddress['kind'];

const SCHEMES: Readonly<Record<string, { readonly kind: Kind; readonly tls: boolean }>> = {
  redis: { kind: 'server', tls: false },
  rediss: { kind: 'server', tls: true },
  unix: { kind: 'socket', tls: false },
  'redis-cluster': { kind: 'cluster', tls: false },
  'rediss-cluster': { kind: 'cluster', tls: true },
  'redis-sentinel': { kind: 'sentinel', tls: false },
  'rediss-sentinel': { kind: 'sentinel', tls: true },
};

const PARAMETERS: Readonly<Record<Kind, readonly string[]>> = {
  server: ['db'],
  socket: ['db'],
  cluster: [],
  sentinel: ['db', 'sentinelUsername', 'sentinelPassword'],
};

/** The parts of the text, percent escapes still in them. */
interface Parts {
  readonly user: string | undefined;
  readonly hosts: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly fragment: string;
}

export function parseRedisAddress(text: string): RedisAddress | Refused {
  if (/\p{Cc}/u.test(text)) return refused('it has a control character');
  const { scheme = '', rest = '' } = /^(?<scheme>[^:/]+):\/\/(?<rest>.*)$/s.exec(text)?.groups ?? {};
  const form = SCHEMES[scheme.toLowerCase()];
  if (form === undefined) return refused(scheme === '' ? 'it needs a scheme' : `the scheme ${scheme}:// is not known`);
  const parts = partsOf(rest);
  const refusal = refusalOf(form.kind, parts);
  if (refusal !== undefined) return refused(refusal);
  const login = loginOf(parts.user);
  if (typeof login === 'string') return refused(login);
  const database = databaseOf(form.kind, parts);
  if (database === undefined) return refused('the database is a number from 0 to 99999');
  return addressOf(form.kind, parts, { tls: form.tls, login, database });
}

/** A password may hold each of the characters that end the parts behind it, so user and password end at the last `@`. */
function partsOf(rest: string): Parts {
  const at = rest.lastIndexOf('@');
  const behind = /^(?<hosts>[^/?#]*)(?<path>[^?#]*)(?:\?(?<query>[^#]*))?(?:#(?<fragment>.*))?$/s.exec(
    rest.slice(at + 1),
  )?.groups;
  return {
    user: at === -1 ? undefined : rest.slice(0, at),
    hosts: behind?.['hosts'] ?? '',
    path: behind?.['path'] ?? '',
    query: new URLSearchParams(behind?.['query'] ?? ''),
    fragment: behind?.['fragment'] ?? '',
  };
}

/** Why the parts cannot belong to an address of this kind. */
function refusalOf(kind: Kind, { path, query, fragment }: Parts): string | undefined {
  const unknown = Array.from(query.keys()).find((name) => !PARAMETERS[kind].includes(name));
  if (unknown !== undefined) {
    const allowed = PARAMETERS[kind].length === 0 ? 'none' : PARAMETERS[kind].join(', ');
    return `the parameter ${unknown} is not known; allowed here: ${allowed}`;
  }
  if (kind === 'cluster' && !['', '/', '/0'].includes(path)) return 'a cluster has no database but 0';
  if (kind === 'sentinel' && fragment === '') return 'the name of the master is missing: end the address with #name';
  if (kind !== 'sentinel' && fragment !== '')
    return 'nothing may follow "#" here; a "#" in the password is written as %23';
  return undefined;
}

function addressOf(kind: Kind, parts: Parts, common: RedisLogin): RedisAddress | Refused {
  if (kind === 'socket') {
    const socketPath = decoded(parts.hosts + parts.path);
    if (socketPath?.startsWith('/') !== true) return refused('a socket needs an absolute path: unix:///path');
    return { kind, socketPath, ...common };
  }
  const nodes = parts.hosts.split(',').map((text) => nodeOf(text, kind === 'sentinel' ? SENTINEL_PORT : REDIS_PORT));
  const [first, second] = nodes;
  if (first === undefined || !nodes.every((node) => node !== undefined))
    return refused('a host or port cannot be read');
  if (kind === 'cluster') return { kind, nodes, ...common };
  if (kind === 'sentinel') {
    const master = decoded(parts.fragment);
    if (master === undefined) return refused('a "%" in the name of the master is written as %25');
    return { kind, nodes, master, sentinelLogin: sentinelLoginOf(parts.query), ...common };
  }
  if (second !== undefined) {
    return refused('several hosts are written as redis-cluster://… or redis-sentinel://…/database#master');
  }
  return { kind, ...first, ...common };
}

function nodeOf(text: string, defaultPort: number): HostAndPort | undefined {
  // Parsed as http, because only for that scheme does URL check the host and the port.
  if (text === '' || !URL.canParse(`http://${text}`)) return undefined;
  const { hostname } = new URL(`http://${text}`);
  const port = /:(\d+)$/.exec(text)?.[1];
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === undefined ? defaultPort : Number(port) };
}

/** The login, or why it cannot be read. Some clients take a lone word for the user, some for the password. */
function loginOf(user: string | undefined): Login | null | string {
  if (user === undefined || user === '' || user === ':') return null;
  const colon = user.indexOf(':');
  if (colon === -1) return 'a login is written as user:password@ or :password@';
  const username = decoded(user.slice(0, colon));
  const password = decoded(user.slice(colon + 1));
  if (username === undefined || password === undefined) return 'a "%" in user or password is written as %25';
  return { username: username === '' ? null : username, password };
}

function sentinelLoginOf(query: URLSearchParams): Login | null {
  const password = query.get('sentinelPassword');
  return password === null ? null : { username: query.get('sentinelUsername'), password };
}

function databaseOf(kind: Kind, { path, query }: Parts): number | undefined {
  const inPath = kind === 'socket' ? '' : path.replace(/^\//, '');
  const text = inPath === '' ? (query.get('db') ?? '0') : inPath;
  return /^\d{1,5}$/.test(text) ? Number(text) : undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const refused = (why: string): Refused => ({ kind: 'invalid', why });
