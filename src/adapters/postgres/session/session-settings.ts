import type { ClientConfig } from 'pg';

export type Settings = Readonly<Record<string, string>>;

/**
 * What every session runs with, so that no default of a server, database or role changes a result. Prisma writes and reads
 * times without their offset, so the zone is UTC; the tables are looked up in `public` only, as Prisma's query builder does.
 * A pool's own limits and options replace these. `default_transaction_read_only` is not among them: with it an administrator
 * says that nothing may be written now, and that counts as an outage.
 */
const SETTINGS: Settings = {
  TimeZone: 'UTC',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  client_encoding: 'UTF8',
  standard_conforming_strings: 'on',
  transform_null_equals: 'off',
  array_nulls: 'on',
  bytea_output: 'hex',
  extra_float_digits: '1',
  default_transaction_isolation: 'read committed',
  default_transaction_deferrable: 'off',
  synchronous_commit: 'on',
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  search_path: 'public',
};

/** Settings that only newer versions of PostgreSQL know; an older one would refuse the connection. */
const NEWER_SETTINGS: Settings = { transaction_timeout: '0' };

/** Whose value at the start of a session the server is asked for. */
export const ASKED_SETTINGS: readonly string[] = [
  ...Object.keys(NEWER_SETTINGS),
  'default_transaction_isolation',
  'statement_timeout',
];

/** Set for a transaction that has begun: too late, or of no use. The database is refused where these defaults are wrong. */
const NOT_FOR_A_TRANSACTION = new Set([
  'default_transaction_isolation',
  'default_transaction_read_only',
  'default_transaction_deferrable',
  'idle_session_timeout',
]);

const escapedOption = (value: string): string => value.replaceAll(/[\\\s]/g, String.raw`\$&`);

/** The startup parameter `options`: as on the server's command line. */
export const startupOptions = (settings: Settings = SETTINGS): string =>
  Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${escapedOption(value)}`)
    .join(' ');

/** Those of the newer settings that this server knows. */
export const newerSettings = (known: { readonly has: (name: string) => boolean }): Settings =>
  Object.fromEntries(Object.entries(NEWER_SETTINGS).filter(([name]) => known.has(name)));

/** The settings in `options`, the last one of each name. */
export function parseOptions(options: string): ReadonlyMap<string, string> {
  const words = (options.match(/(?:\\[\s\S]|[^\\\s])+/g) ?? []).map((word) => word.replaceAll(/\\([\s\S])/g, '$1'));
  const settings = new Map<string, string>();
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const text =
      word === '-c' ? (words[(at += 1)] ?? '') : /^(?:--|-c)(?<setting>.+)$/s.exec(word)?.groups?.['setting'];
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(text ?? '') ?? [];
    if (name !== undefined && value !== undefined) settings.set(name.replaceAll('-', '_'), value);
  }
  return settings;
}

type Limits = Pick<ClientConfig, 'statement_timeout' | 'lock_timeout' | 'idle_in_transaction_session_timeout'>;

const LIMITS = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'] as const;

/**
 * One statement that sets, for the transaction in which it runs and no longer, what the connection was to be opened with:
 * behind a pooler each transaction may run in another session, and the next user of that session must find it unchanged.
 */
export function transactionSettings(
  config: Limits & Pick<ClientConfig, 'options'>,
  known: { readonly has: (name: string) => boolean },
  changed: Settings = {},
): string {
  const settings = new Map([...Object.entries(newerSettings(known)), ...parseOptions(config.options ?? '')]);
  for (const limit of LIMITS) {
    const value = config[limit];
    if (typeof value === 'number' && value > 0) settings.set(limit, String(value));
  }
  for (const [name, value] of Object.entries(changed)) settings.set(name, value);
  if (settings.get('default_transaction_read_only') === 'on') settings.set('transaction_read_only', 'on');
  const calls = [...settings]
    .filter(([name]) => !NOT_FOR_A_TRANSACTION.has(name))
    .map(([name, value]) => `pg_catalog.set_config(${literal(name)}, ${literal(value)}, true)`);
  return `SELECT ${calls.join(', ')}`;
}

/** For a session that stays the same. */
export const setStatements = (settings: Settings): string =>
  Object.entries(settings)
    .map(([name, value]) => `SET ${name} = ${literal(value)}`)
    .join('; ');

/** A text that reads the same whether or not a backslash is special in the session. */
const literal = (text: string): string =>
  text.includes('\\')
    ? `E'${text.replaceAll('\\', String.raw`\\`).replaceAll("'", "''")}'`
    : `'${text.replaceAll("'", "''")}'`;
