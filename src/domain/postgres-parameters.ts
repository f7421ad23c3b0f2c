/** What may follow `?` in `DATABASE_URL`: what is read, what is ignored because it changes nothing, and what is refused. */

/** Read by `parsePostgresAddress`. */
const READ = new Set('host port user password dbname options application_name connect_timeout'.split(' '));

/** Names of libpq, node-postgres and Prisma for how the connection is encrypted. */
const TLS = /^(?:ssl\w*|uselibpqcompat|(?:min|max)_protocol_version)$/;

export const isTlsParameter = (name: string): boolean => TLS.test(name);

/**
 * They describe the pool of another client, or a connection that is kept alive in any case. Prisma, Rails, pgx, asyncpg,
 * Doctrine and hosting providers write them into addresses that several services share.
 */
const IGNORED = new Set(
  (
    'connection_limit pool_timeout socket_timeout pgbouncer statement_cache_size ' +
    'pool prepared_statements pool_max_conns pool_min_conns prepareThreshold serverVersion charset supa workaround ' +
    'keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout ' +
    'fallback_application_name load_balance_hosts'
  ).split(' '),
);

/** Parameters of which some values are what this program does anyway; every other value is refused. */
const ALLOWED: Readonly<Record<string, { readonly values: readonly string[]; readonly why: string }>> = {
  schema: { values: ['public'], why: 'the tables of this service are in the schema public' },
  channel_binding: { values: ['disable', 'prefer', 'require'], why: 'allowed are disable, prefer and require' },
  client_encoding: { values: ['UTF8', 'utf8', 'UTF-8', 'utf-8', 'auto'], why: 'the session is always UTF-8' },
  gssencmode: { values: ['disable', 'prefer'], why: 'GSSAPI is not supported' },
  target_session_attrs: {
    values: ['any', 'read-write', 'primary'],
    why: 'this program writes, so it needs the primary: leave it out',
  },
};

/** Each asks for something that would silently not be done. */
const INSTEAD: Readonly<Record<string, string>> = {
  hostaddr: 'write the address as host',
  service: 'no service file is read: write host, port, user and database into the address',
  servicefile: 'no service file is read: write host, port, user and database into the address',
  passfile: 'set PGPASSFILE to that file instead',
  require_auth: 'it is not supported: let pg_hba.conf on the server require the method',
  requirepeer: 'it is not supported: leave it out, and keep the folder of the socket closed to other users',
  requiressl: 'write sslmode=require',
  replication: 'this program needs an ordinary connection: leave it out',
};

/** Why the parameter is refused; undefined when it is allowed. */
export function refusalOfParameter(name: string, value: string): string | undefined {
  if (READ.has(name) || IGNORED.has(name) || isTlsParameter(name)) return undefined;
  const allowed = Object.hasOwn(ALLOWED, name) ? ALLOWED[name] : undefined;
  if (allowed !== undefined) {
    return allowed.values.includes(value) ? undefined : `${name}=${value} cannot be used: ${allowed.why}`;
  }
  const instead = Object.hasOwn(INSTEAD, name) ? INSTEAD[name] : undefined;
  return `the parameter ${name} is refused: ${instead ?? 'it is not known; leave it out'}`;
}

/** Whether all of these are names that are known here, allowed or not. */
export const areParameters = (names: readonly string[]): boolean =>
  names.every(
    (name) =>
      READ.has(name) ||
      IGNORED.has(name) ||
      isTlsParameter(name) ||
      Object.hasOwn(ALLOWED, name) ||
      Object.hasOwn(INSTEAD, name),
  );
