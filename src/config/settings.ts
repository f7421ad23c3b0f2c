/** Every setting, each in one place: its documentation, variable, default and type. `--help` and the README are made of it. */
import { isAbsolute, join } from 'node:path';
import { ENGINE_ADDRESSES_ALLOWED, parseEngineAddress } from '../domain/engine-address.js';
import { parsePostgresAddress } from '../domain/postgres-address.js';
import { maxConnectionsSetting } from './connections.js';
import { formatDuration } from './duration.js';
import { ENGINE_NAMES_ALLOWED, type EngineHost, formatEngineHosts, readEngineHosts } from './engine-hosts.js';
import { derived, type Field, optional, type Setting, setting, type Surroundings } from './field.js';
import { DEFAULT_HTTP_ADDRESS, formatHttpAddress, parseHttpAddress } from './http-address.js';
import {
  addressBy,
  duration,
  formatShare,
  matching,
  number,
  oneOf,
  parsed,
  parseShare,
  parseTokens,
  readBy,
  TOKEN_MIN_CHARACTERS,
  whole,
} from './parsers.js';
import { shownUrl } from './shown-url.js';
import { STORE_ADDRESSES } from './store-addresses.js';

const DAY_MS = 86_400_000;
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** More jobs at a time make BullMQ's statements on PostgreSQL deadlock when many delayed jobs fall due together. */
const CONCURRENCY = { redis: 8, postgres: 4 } as const;

const storeOf = ({ redisUrl }: Surroundings) => (redisUrl === null ? 'postgres' : 'redis');

function defaultDataDir({ isRoot, homeDir, dataHome }: Surroundings): string | null {
  if (isRoot) return '/var/lib/runtime-cleanup';
  if (dataHome !== undefined && isAbsolute(dataHome)) return join(dataHome, 'runtime-cleanup');
  return homeDir === null ? null : join(homeDir, '.local', 'share', 'runtime-cleanup');
}

/** The order is that of the README's table; a default may depend on the settings above it. */
export const SETTINGS = {
  ...STORE_ADDRESSES,
  /** Null: what `dockerEnvironment` leads to. */
  dockerHost: optional('DOCKER_HOST', readBy(addressBy(parseEngineAddress)), {
    fallback:
      'the docker context (`DOCKER_CONTEXT`, or the current one in `DOCKER_CONFIG`), else the first of the usual sockets that exists: rootful, rootless, Docker Desktop',
    meaning: 'the container engine; which one it is, and why, is logged at the start',
    allowed: ENGINE_ADDRESSES_ALLOWED,
    show: shownUrl,
  }),
  /** The engines besides `DOCKER_HOST`, by the name that records have in `docker_host`. */
  dockerHosts: derived('RTMANAGER_DOCKER_HOSTS', readBy(readEngineHosts), {
    fallback: 'one engine, that of `DOCKER_HOST`',
    meaning:
      'engines besides that of `DOCKER_HOST`, each with the name that its records have in `docker_host`; a record without a name belongs to the engine of `DOCKER_HOST`, whose name is `default`',
    allowed: `name=address, separated by commas; ${ENGINE_NAMES_ALLOWED}; an address is ${ENGINE_ADDRESSES_ALLOWED}`,
    whenNotSet: (): readonly EngineHost[] => [],
    show: formatEngineHosts,
  }),
  /** Whether TLS is asked for where the address does not: https:// means TLS in any case. */
  dockerTlsVerify: derived(
    'DOCKER_TLS_VERIFY',
    parsed((text) => (text === '1' ? true : undefined)),
    {
      fallback: 'plain connection, except for https:// and for port 2376 of tcp://',
      meaning: 'talk TLS to each engine at tcp:// and check its certificate',
      allowed: "1, or not set (Docker's own tools take any other text, even 0, for yes)",
      whenNotSet: (): boolean => false,
      show: (isOn) => (isOn ? '1' : 'not set'),
    },
  ),
  /** Folder with ca.pem, cert.pem and key.pem. Null: the system's authorities, no client certificate. */
  dockerCertPath: optional('DOCKER_CERT_PATH', matching(isAbsolute), {
    fallback: 'no client certificate',
    meaning: 'folder with ca.pem, cert.pem and key.pem for TLS, the same for each engine',
    allowed: 'an absolute path',
  }),
  queueBackend: derived('RTMANAGER_QUEUE_BACKEND', oneOf('redis', 'postgres'), {
    fallback: 'redis when `REDIS_URL` is set, else postgres',
    meaning: 'where the job queue lives',
    allowed: 'redis or postgres',
    whenNotSet: storeOf,
  }),
  /** Null: the queue on PostgreSQL is where the records are. */
  queueDatabaseUrl: optional('RTMANAGER_QUEUE_DATABASE_URL', readBy(addressBy(parsePostgresAddress)), {
    fallback: 'that of `DATABASE_URL`',
    meaning:
      'address of the queue on PostgreSQL, needed where `DATABASE_URL` leads to a connection pooler that does not pass on notifications (`LISTEN`): the address of the same database without the pooler',
    allowed: 'as `DATABASE_URL`; only beside it, and with the queue on PostgreSQL',
    show: shownUrl,
  }),
  leaseStore: derived('RTMANAGER_LEASE_STORE', oneOf('redis', 'postgres'), {
    fallback: 'redis when `REDIS_URL` is set, else postgres',
    meaning: 'where the game leases live; every service that starts or stops games must use the same',
    allowed: 'redis or postgres',
    whenNotSet: storeOf,
  }),
  retentionMs: setting(
    'RTMANAGER_CONTAINER_RETENTION_DAYS',
    number(/^\d+(\.\d+)?$/, 0.000_01, 36_500).transform((days) => Math.round(days * DAY_MS)),
    {
      fallback: '30',
      meaning: 'how long a stopped container is kept before the retention sweep may remove it',
      allowed: 'above 0 and at most 36500; fractions such as 0.5 are fine',
      unit: 'days',
      show: (ms) => ms / DAY_MS,
    },
  ),
  cleanupIntervalMs: setting('RTMANAGER_CLEANUP_INTERVAL', duration('1s', '24h'), {
    fallback: '1h',
    meaning: 'how often the retention sweep looks for containers that are due',
    allowed: 'a number and its unit (ms, s, m or h), from 1s to 24h',
    show: formatDuration,
  }),
  /** A fraction of the stopped records, above 0 and at most 1. */
  sweepMaxShare: setting('RTMANAGER_SWEEP_MAX_SHARE', parsed(parseShare), {
    fallback: '50%',
    meaning:
      'a sweep that would remove more than this share of the stopped containers, where there are 10 or more, removes none, so that a mistyped retention does not remove nearly everything',
    allowed: 'above 0 and at most 100%, as 50% or 0.5; 100% sets no limit',
    show: formatShare,
  }),
  leaseTtlMs: setting(
    'RTMANAGER_GAME_LEASE_TTL_SECONDS',
    whole(2, 3_600).transform((seconds) => seconds * 1_000),
    {
      fallback: '60',
      meaning: 'life of a game lease; it is renewed while work goes on, so it may be shorter than the Docker timeout',
      allowed: 'a whole number from 2 to 3600',
      unit: 'seconds',
      show: (ms) => ms / 1_000,
    },
  ),
  workerConcurrency: derived('RTMANAGER_WORKER_CONCURRENCY', whole(1, 256), {
    fallback: `${CONCURRENCY.redis} on a Redis queue, ${CONCURRENCY.postgres} on a PostgreSQL queue`,
    meaning: 'how many jobs one worker process runs at a time',
    allowed: 'a whole number from 1 to 256',
    unit: 'jobs',
    whenNotSet: ({ queueBackend = 'postgres' }): number => CONCURRENCY[queueBackend],
  }),
  engineConcurrency: derived('RTMANAGER_ENGINE_CONCURRENCY', whole(1, 256), {
    fallback: '`RTMANAGER_WORKER_CONCURRENCY` with one engine, half of it (rounded up) with several',
    meaning:
      'how many removals one worker process runs at a time on one engine, at most; with several engines, one that hangs must leave slots to the others',
    allowed: 'a whole number from 1 to 256',
    unit: 'removals',
    whenNotSet: ({ dockerHosts = [], workerConcurrency = 1 }): number =>
      dockerHosts.length === 0 ? workerConcurrency : Math.ceil(workerConcurrency / 2),
  }),
  maxConnections: maxConnectionsSetting,
  dockerTimeoutMs: setting('RTMANAGER_DOCKER_TIMEOUT', duration('100ms', '1h'), {
    fallback: '30s',
    meaning: 'the longest wait for one answer of the engine',
    allowed: 'a number and its unit (ms, s, m or h), from 100ms to 1h',
    show: formatDuration,
  }),
  conflictMaxAttempts: setting('RTMANAGER_CONFLICT_MAX_ATTEMPTS', whole(1, 1_000), {
    fallback: '10',
    meaning:
      'how often a job may end in `conflict` before it is a dead letter; its retries must take longer than the life of a game lease, so that a lease left behind by a crash makes no dead letter',
    allowed: 'a whole number from 1 to 1000',
    unit: 'attempts',
  }),
  retryMaxAgeMs: setting('RTMANAGER_RETRY_MAX_AGE', duration('1s', '720h'), {
    fallback: '24h',
    meaning: 'how long an outage may last before the jobs that wait for its end become dead letters',
    allowed: 'a number and its unit (ms, s, m or h), from 1s to 720h',
    show: formatDuration,
  }),
  httpAddress: setting('RTMANAGER_INTERNAL_HTTP_ADDR', parsed(parseHttpAddress), {
    fallback: DEFAULT_HTTP_ADDRESS,
    meaning: 'where the HTTP API and the dashboard listen',
    allowed: 'host:port, [ipv6]:port, or :port for every address; beyond loopback only with RTMANAGER_API_TOKENS',
    show: formatHttpAddress,
  }),
  /** Empty: no token is asked for. */
  apiTokens: derived('RTMANAGER_API_TOKENS', parsed(parseTokens), {
    fallback: 'no token is asked for, and the server listens on loopback only',
    meaning:
      'secrets of which each caller of the HTTP API must show one, as `Authorization: Bearer`; a browser asks for it as password',
    allowed: `one or more, separated by commas, each at least ${TOKEN_MIN_CHARACTERS} letters, digits or . _ ~ + / - characters`,
    whenNotSet: (): readonly string[] => [],
    show: (tokens) => (tokens.length === 0 ? 'not set' : `${tokens.length} given`),
  }),
  logLevel: setting('RTMANAGER_LOG_LEVEL', oneOf(...LOG_LEVELS), {
    fallback: 'info',
    meaning: 'least severe log line written; `debug` also shows stack traces on the command line',
    allowed: LOG_LEVELS.join(', '),
  }),
  shutdownTimeoutMs: setting('RTMANAGER_SHUTDOWN_TIMEOUT', duration('0s', '1h'), {
    fallback: '30s',
    meaning: 'how long running jobs may go on after SIGTERM before they are interrupted and put back',
    allowed: 'a number and its unit (ms, s, m or h), from 0s to 1h',
    show: formatDuration,
  }),
  /** Null: not set, and the user has no home folder; then `databaseUrl` is set. */
  dataDir: derived<string | null>('RTMANAGER_DATA_DIR', matching(isAbsolute), {
    fallback:
      '/var/lib/runtime-cleanup for root, else `$XDG_DATA_HOME/runtime-cleanup` or `~/.local/share/runtime-cleanup`',
    meaning: 'folder of the embedded PostgreSQL, used when `DATABASE_URL` is not set',
    allowed: 'an absolute path',
    whenNotSet: defaultDataDir,
    show: (folder) => folder ?? 'not set',
  }),
};

/** The value of every setting. */
export type SettingValues = {
  readonly [Key in keyof typeof SETTINGS]: (typeof SETTINGS)[Key] extends Field<infer Value> ? Value : never;
};
export type Fields = { readonly [Key in keyof SettingValues]: Field<SettingValues[Key]> };

/** Every setting with what people need to know of it, in the order of the README's table. */
export const describeSettings = (): readonly Setting[] => Object.values<Setting>(SETTINGS);

/** The README's table of settings. */
export function settingsMarkdown(settings: readonly Setting[]): string {
  const row = (...cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const code = (text: string) => (/^[\w:/.-]+$/.test(text) ? `\`${text}\`` : text);
  return [
    row('variable', 'default', 'what it is', 'allowed'),
    row('---', '---', '---', '---'),
    ...settings.map(({ name, fallback, meaning, allowed, unit }) =>
      row(`\`${name}\``, code(fallback), meaning, unit === undefined ? allowed : `${allowed} (${unit})`),
    ),
    '',
  ].join('\n');
}
