/**
 * The grammar of `DATABASE_URL`. Settings and adapter read it with this one function, so that an address that passes the
 * start cannot be refused when the client connects. It allows what libpq and node-postgres read alike, so that an address
 * means the same server for `psql` and for this program.
 */
import { areParameters, isTlsParameter, refusalOfParameter } from './postgres-parameters.js';

export interface PostgresAddress {
  readonly kind: 'network' | 'socket';
  /** A name or IP address, without the brackets of IPv6; for a socket its folder. Null: not given. */
  readonly host: string | null;
  readonly port: number | null;
  readonly user: string | null;
  readonly password: string | null;
  readonly database: string | null;
  /** Settings of the session, as on the server's command line; empty: none. */
  readonly options: string;
  readonly applicationName: string | null;
  readonly connectTimeoutMs: number | null;
  /** Whether `channel_binding=require` is given. */
  readonly bindsChannel: boolean;
  /** `sslmode`, `sslrootcert` and so on, as they are given. */
  readonly tls: Readonly<Record<string, string>>;
}

interface Refused {
  readonly kind: 'invalid';
  readonly why: string;
}

export const POSTGRES_ADDRESSES_ALLOWED =
  'postgresql://user:password@host:port/database, or postgresql://user@localhost/database?host=/folder for a Unix socket';

const DEFAULT_PORT = 5432;

// The kernel's limit less the closing NUL.
const SOCKET_PATH_MAX_BYTES = process.platform === 'darwin' ? 103 : 107;

/** Whether the kernel can name the server's socket in this folder; its limit is far shorter than that of other paths. */
export function isSocketFolderShort(folder: string, port = DEFAULT_PORT): boolean {
  return new TextEncoder().encode(`${folder}/.s.PGSQL.${port}`).length <= SOCKET_PATH_MAX_BYTES;
}

export function parsePostgresAddress(text: string): PostgresAddress | Refused {
  if (/\p{Cc}/u.test(text)) return refused('it has a control character');
  const { scheme = '', rest = '' } = /^(?<scheme>[^:/]+):\/\/(?<rest>.*)$/s.exec(text)?.groups ?? {};
  if (scheme === '') return refused('it needs a scheme');
  if (!/^postgres(?:ql)?$/i.test(scheme)) return refused(`the scheme ${scheme}:// is not supported`);
  const escape = refusalOfEscapes(rest);
  if (escape !== undefined) return refused(escape);
  const { authority, query } = splitQuery(rest);
  for (const [name, value] of query) {
    const refusal = refusalOfParameter(name, value);
    if (refusal === undefined) continue;
    // What looks like a name may be the end of a password with an unescaped "&" or "?".
    return refused(/(?:pass\w*|token)=/i.test(rest) && !areParameters([name]) ? UNKNOWN_BESIDE_PASSWORD : refusal);
  }
  return addressOf(partsOf(authority), query);
}

const UNKNOWN_BESIDE_PASSWORD = 'a parameter is not known; an "&" in a password is written as %26';

/** Names and values in the order of the text, decoded. */
type Query = ReadonlyMap<string, string>;

/**
 * Where the parameters begin. A password may hold a `?`, and a parameter an `@`: a `?` before an `@` begins the parameters
 * only if nothing but known names follows.
 */
function splitQuery(rest: string): { readonly authority: string; readonly query: Query } {
  for (let at = rest.indexOf('?'); at !== -1; at = rest.indexOf('?', at + 1)) {
    const tail = rest.slice(at + 1);
    const query = queryOf(tail);
    if (!tail.includes('@') || areParameters(Array.from(query.keys()))) return { authority: rest.slice(0, at), query };
  }
  return { authority: rest, query: new Map() };
}

function queryOf(text: string): Query {
  const query = new Map<string, string>();
  for (const item of text.split('&').filter((part) => part !== '')) {
    const [name = '', ...values] = item.split('=');
    const value = values.join('=');
    if (name === 'options') {
      // As other clients read it: the blanks between options may be written as "+".
      const options = decoded(value.replaceAll('+', ' '));
      query.set(name, [query.get(name) ?? '', options].join(' ').trim());
    } else {
      query.set(decoded(name), decoded(value));
    }
  }
  return query;
}

interface Parts {
  readonly user: string;
  readonly password: string;
  /** Host and port as they are written: a percent escape may hide a colon or a slash of them. */
  readonly place: string;
  readonly database: string;
}

/** A password may hold each of the characters that end the parts behind it, so user and password end at the last `@`. */
function partsOf(authority: string): Parts {
  const at = authority.lastIndexOf('@');
  const login = /^(?<user>[^:]*):?(?<password>.*)$/s.exec(authority.slice(0, Math.max(at, 0)))?.groups;
  const behind = /^(?<place>[^/]*)\/?(?<database>.*)$/s.exec(authority.slice(at + 1))?.groups;
  return {
    user: decoded(login?.['user'] ?? ''),
    password: decoded(login?.['password'] ?? ''),
    place: behind?.['place'] ?? '',
    database: decoded(behind?.['database'] ?? ''),
  };
}

function addressOf({ user, password, place, database }: Parts, query: Query): PostgresAddress | Refused {
  const written = /^(?<host>\[[^\]]*\]|[^:[\]]*)(?::(?<port>[^:]*))?$/.exec(place)?.groups;
  if (written === undefined && !place.includes(',')) {
    return refused('host and port cannot be read; an IPv6 address is written in brackets, as [::1]:5432');
  }
  const host = query.get('host') || decoded(written?.['host'] ?? '').replace(/^\[(.*)\]$/, '$1');
  const portText = query.get('port') || (written?.['port'] ?? '');
  const timeout = query.get('connect_timeout') || '0';
  const refusal =
    refusalOfHost(place.includes(',') ? place : host) ??
    refusalOfPort(portText) ??
    (/^\d{1,4}$/.test(timeout) ? undefined : 'connect_timeout is a whole number of seconds, at most 9999');
  if (refusal !== undefined) return refused(refusal);
  const port = portText === '' ? null : Number(portText);
  if (host.startsWith('/') && !isSocketFolderShort(host, port ?? undefined)) {
    return refused(
      `the path of the socket in ${host} is longer than the ${SOCKET_PATH_MAX_BYTES} bytes that are allowed`,
    );
  }
  const given = (name: string, otherwise: string): string | null => query.get(name) || otherwise || null;
  return {
    kind: host.startsWith('/') ? 'socket' : 'network',
    host: host === '' ? null : host,
    port,
    user: given('user', user),
    password: given('password', password),
    database: given('dbname', database),
    options: query.get('options') ?? '',
    applicationName: given('application_name', ''),
    connectTimeoutMs: timeout === '0' ? null : Number(timeout) * 1_000,
    bindsChannel: query.get('channel_binding') === 'require',
    tls: Object.fromEntries(Array.from(query).filter(([name]) => isTlsParameter(name))),
  };
}

function refusalOfHost(host: string): string | undefined {
  if (host.includes(',')) {
    return 'several hosts are not supported: name one host that leads to the primary, such as a DNS name that follows it, HAProxy or a pooler';
  }
  const { folder, port } = /^(?<folder>\/.*)\/\.s\.PGSQL\.(?<port>\d+)$/.exec(host)?.groups ?? {};
  if (folder !== undefined) return `a socket is named by its folder: write host=${folder}&port=${port}`;
  if (host.startsWith('@')) return 'a socket in the abstract namespace is not supported';
  if (host.startsWith('/') || host === '' || HOST.test(host)) return undefined;
  return 'the host cannot be read; a Unix socket is written as host=/folder, with an absolute path';
}

/** Names as DNS and container networks use them, IPv4, and IPv6 with or without a zone. */
const HOST = /^(?:[\p{L}\p{N}_](?:[\p{L}\p{N}._-]*)|[\da-f:.]*:[\da-f:.]*(?:%[\w.-]+)?)$/iu;

function refusalOfPort(port: string): string | undefined {
  if (port.includes(',')) return refusalOfHost(',');
  const isPort = port === '' || (/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535);
  return isPort ? undefined : 'the port is a number from 1 to 65535';
}

function refusalOfEscapes(text: string): string | undefined {
  try {
    // PostgreSQL ends each part of a login at a NUL.
    return decoded(text).includes('\0') ? 'it has a NUL character' : undefined;
  } catch {
    return 'it has a percent escape that is not a character; write a "%" as %25';
  }
}

/** A `%` that begins no escape stands for itself, as for node-postgres. */
function decoded(text: string): string {
  return decodeURIComponent(text.replaceAll(/%(?![\da-f]{2})/gi, '%25'));
}

const refused = (why: string): Refused => ({ kind: 'invalid', why });

/** The address as text that every client of PostgreSQL reads: of a socket with `localhost`, because some need a host there. */
export function formatPostgresAddress(address: PostgresAddress): string {
  const { kind, host, port, user, password, database, connectTimeoutMs } = address;
  const escaped = encodeURIComponent;
  const login = `${escaped(user ?? '')}${password === null ? '' : `:${escaped(password)}`}`;
  const named = host?.includes(':') === true ? `[${host}]` : (host ?? '');
  const place = `${kind === 'socket' ? 'localhost' : named}${port === null ? '' : `:${port}`}`;
  const query = Object.entries({
    host: kind === 'socket' ? host : null,
    options: address.options,
    application_name: address.applicationName,
    connect_timeout: connectTimeoutMs === null ? null : String(connectTimeoutMs / 1_000),
    channel_binding: address.bindsChannel ? 'require' : null,
    ...address.tls,
  })
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => `${name}=${escaped(value ?? '').replaceAll('%2F', '/')}`)
    .join('&');
  return `postgresql://${login === '' ? '' : `${login}@`}${place}/${escaped(database ?? '')}${query === '' ? '' : `?${query}`}`;
}
