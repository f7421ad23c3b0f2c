import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { contradictionLines } from './config/contradictions.js';
import { formatDuration, parseDurationMs } from './config/duration.js';
import { shownUrl } from './config/shown-url.js';
import { unknownNameLines } from './config/unknown-names.js';
import { ConfigurationError } from './domain/errors.js';

export { parseDurationMs };

export type Environment = Readonly<Record<string, string | undefined>>;

/** The settings of one process: checked, free of contradictions, frozen. Null means "not set" and says what follows. */
export interface Config {
  /** Null: an embedded PostgreSQL in `dataDir`. */
  readonly databaseUrl: string | null;
  readonly redisUrl: string | null;
  readonly dockerHost: string;
  readonly dockerTlsVerify: boolean;
  /** Folder with ca.pem, cert.pem and key.pem. Null: the system's authorities, no client certificate. */
  readonly dockerCertPath: string | null;
  readonly queueBackend: 'redis' | 'postgres';
  readonly leaseStore: 'redis' | 'postgres';
  readonly retentionMs: number;
  readonly leaseTtlMs: number;
  readonly workerConcurrency: number;
  readonly dockerTimeoutMs: number;
  readonly conflictMaxAttempts: number;
  readonly retryMaxAgeMs: number;
  readonly logLevel: LogLevel;
  readonly shutdownTimeoutMs: number;
  readonly dataDir: string;
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What people are told about one variable; `--help` and the README are made of it. */
interface SettingText {
  readonly fallback: string;
  readonly meaning: string;
  readonly allowed: string;
  readonly unit?: string;
}

export interface Setting extends SettingText {
  readonly name: string;
}

/** `lines` holds one sentence for each setting that is wrong. */
export class ConfigError extends ConfigurationError {
  constructor(readonly lines: readonly string[]) {
    super(lines.join('\n'));
  }
}

const DAY_MS = 86_400_000;
const STORES = ['redis', 'postgres'] as const;
const texts = z.registry<SettingText>();

/** A setting with a default; the default is read like any other value. */
const setting = <Out>(schema: z.ZodType<Out, string>, text: SettingText) =>
  schema.prefault(text.fallback).register(texts, text);

/** A setting that may be missing; `fallback` then says what happens. */
const optional = <Out>(schema: z.ZodType<Out, string>, text: SettingText) => schema.optional().register(texts, text);

const matching = (isAllowed: (text: string) => boolean) => z.string().refine(isAllowed);
const url = (...schemes: readonly string[]) =>
  matching((text) => URL.canParse(text) && schemes.some((scheme) => text.startsWith(`${scheme}://`)));
const number = (pattern: RegExp, min: number, max: number) =>
  z.string().regex(pattern).transform(Number).pipe(z.number().min(min).max(max));
const whole = (min: number, max: number) => number(/^\d+$/, min, max);
const duration = (min: string, max: string) =>
  z
    .string()
    .transform((text) => parseDurationMs(text))
    .pipe(
      z
        .number()
        .min(parseDurationMs(min) ?? 0)
        .max(parseDurationMs(max) ?? 0),
    );

const Variables = z.object({
  DATABASE_URL: optional(url('postgresql', 'postgres'), {
    fallback: 'an embedded PostgreSQL in `RTMANAGER_DATA_DIR`',
    meaning: 'PostgreSQL with the runtime records, the operation log and, unless told otherwise, queue and leases',
    allowed: 'postgresql://user:password@host:port/database',
  }),
  REDIS_URL: optional(url('redis', 'rediss'), {
    fallback: 'no Redis',
    meaning: 'Redis for the queue and the leases; it must run with `maxmemory-policy noeviction`',
    allowed: 'redis://host:port or rediss://user:password@host:port/database',
  }),
  DOCKER_HOST: setting(url('unix', 'tcp', 'http', 'https'), {
    fallback: 'unix:///var/run/docker.sock',
    meaning: 'the container engine',
    allowed: 'unix:///path, tcp://host:port, http://host:port or https://host:port',
  }),
  DOCKER_TLS_VERIFY: optional(z.literal('1'), {
    fallback: 'plain connection, but for https://',
    meaning: 'talk TLS to the engine and check its certificate',
    allowed: "1, or not set (Docker's own tools take any other text, even 0, for yes)",
  }),
  DOCKER_CERT_PATH: optional(matching(isAbsolute), {
    fallback: 'no client certificate',
    meaning: 'folder with ca.pem, cert.pem and key.pem for TLS',
    allowed: 'an absolute path',
  }),
  RTMANAGER_QUEUE_BACKEND: optional(z.enum(STORES), {
    fallback: 'redis when `REDIS_URL` is set, else postgres',
    meaning: 'where the job queue lives',
    allowed: 'redis or postgres',
  }),
  RTMANAGER_LEASE_STORE: optional(z.enum(STORES), {
    fallback: 'redis when `REDIS_URL` is set, else postgres',
    meaning: 'where the game leases live; every service that starts or stops games must use the same',
    allowed: 'redis or postgres',
  }),
  RTMANAGER_CONTAINER_RETENTION_DAYS: setting(number(/^\d+(\.\d+)?$/, 0.000_01, 36_500), {
    fallback: '30',
    meaning: 'how long a stopped container is kept before the retention sweep may remove it',
    allowed: 'above 0 and at most 36500; fractions such as 0.5 are fine',
    unit: 'days',
  }),
  RTMANAGER_GAME_LEASE_TTL_SECONDS: setting(whole(2, 3_600), {
    fallback: '60',
    meaning: 'life of a game lease; it is renewed while work goes on, so it may be shorter than the Docker timeout',
    allowed: 'a whole number from 2 to 3600',
    unit: 'seconds',
  }),
  RTMANAGER_WORKER_CONCURRENCY: optional(whole(1, 256), {
    fallback: '8 on a Redis queue, 4 on a PostgreSQL queue',
    meaning: 'how many jobs one worker process runs at a time',
    allowed: 'a whole number from 1 to 256',
    unit: 'jobs',
  }),
  RTMANAGER_DOCKER_TIMEOUT: setting(duration('100ms', '1h'), {
    fallback: '30s',
    meaning: 'the longest wait for one answer of the engine',
    allowed: '100ms to 1h',
  }),
  RTMANAGER_CONFLICT_MAX_ATTEMPTS: setting(whole(1, 1_000), {
    fallback: '10',
    meaning: 'how often a job may end in `conflict` before it is a dead letter',
    allowed: 'a whole number from 1 to 1000',
    unit: 'attempts',
  }),
  RTMANAGER_RETRY_MAX_AGE: setting(duration('1s', '720h'), {
    fallback: '24h',
    meaning: 'how long an outage may last before the jobs it holds up become dead letters',
    allowed: '1s to 720h',
  }),
  RTMANAGER_LOG_LEVEL: setting(z.enum(LOG_LEVELS), {
    fallback: 'info',
    meaning: 'least severe log line written; `debug` also shows stack traces on the command line',
    allowed: LOG_LEVELS.join(', '),
  }),
  RTMANAGER_SHUTDOWN_TIMEOUT: setting(duration('0s', '1h'), {
    fallback: '30s',
    meaning: 'how long running jobs may go on after SIGTERM before they are interrupted and put back',
    allowed: '0s to 1h',
  }),
  RTMANAGER_DATA_DIR: optional(matching(isAbsolute), {
    fallback:
      '/var/lib/runtime-cleanup for root, else `$XDG_DATA_HOME/runtime-cleanup` or `~/.local/share/runtime-cleanup`',
    meaning: 'folder of the embedded PostgreSQL, used when `DATABASE_URL` is not set',
    allowed: 'an absolute path',
  }),
});

type Values = z.output<typeof Variables>;

/** The machine's part in the defaults. */
export interface Machine {
  readonly isRoot: boolean;
  readonly homeDir: string;
}

/** The environment this process was started with. */
export const processEnvironment = (): Environment => process.env;

/**
 * Reads all settings, or throws a `ConfigError` with one line for each wrong one. A variable that is set to nothing
 * counts as not set, as Docker Compose and shells write it.
 */
export function readConfig(
  environment: Environment,
  machine: Machine = { isRoot: process.getuid?.() === 0, homeDir: homedir() },
): Config {
  const given = Object.fromEntries(
    Object.entries(environment)
      .map(([name, text]) => [name, text?.trim() ?? ''] as const)
      .filter(([, text]) => text !== ''),
  );
  const parsed = Variables.safeParse(given);
  const lines = unknownNameLines(Object.keys(given), Object.keys(Variables.shape)).concat(
    parsed.success ? contradictionLines(parsed.data) : badValueLines(parsed.error, given),
  );
  if (lines.length > 0 || !parsed.success) throw new ConfigError(lines);
  return toConfig(parsed.data, { ...machine, dataHome: given['XDG_DATA_HOME'] });
}

function badValueLines(error: z.ZodError, given: Environment): readonly string[] {
  const wrong = new Set(error.issues.map((issue) => issue.path[0]));
  return describeSettings()
    .filter(({ name }) => wrong.has(name))
    .map(({ name, allowed }) => {
      const text = given[name] ?? '';
      const shown = name.endsWith('_URL') || name === 'DOCKER_HOST' ? shownUrl(text) : text;
      return `${name}: ${JSON.stringify(shown)} is not allowed; allowed: ${allowed}`;
    });
}

function toConfig(values: Values, machine: Machine & { readonly dataHome: string | undefined }): Config {
  const store = values.REDIS_URL === undefined ? 'postgres' : 'redis';
  const queueBackend = values.RTMANAGER_QUEUE_BACKEND ?? store;
  return Object.freeze({
    databaseUrl: values.DATABASE_URL ?? null,
    redisUrl: values.REDIS_URL ?? null,
    dockerHost: values.DOCKER_HOST,
    dockerTlsVerify: values.DOCKER_TLS_VERIFY !== undefined || values.DOCKER_HOST.startsWith('https://'),
    dockerCertPath: values.DOCKER_CERT_PATH ?? null,
    queueBackend,
    leaseStore: values.RTMANAGER_LEASE_STORE ?? store,
    retentionMs: Math.round(values.RTMANAGER_CONTAINER_RETENTION_DAYS * DAY_MS),
    leaseTtlMs: values.RTMANAGER_GAME_LEASE_TTL_SECONDS * 1_000,
    // More jobs at a time make BullMQ's statements on PostgreSQL deadlock when many delayed jobs fall due together.
    workerConcurrency: values.RTMANAGER_WORKER_CONCURRENCY ?? (queueBackend === 'redis' ? 8 : 4),
    dockerTimeoutMs: values.RTMANAGER_DOCKER_TIMEOUT,
    conflictMaxAttempts: values.RTMANAGER_CONFLICT_MAX_ATTEMPTS,
    retryMaxAgeMs: values.RTMANAGER_RETRY_MAX_AGE,
    logLevel: values.RTMANAGER_LOG_LEVEL,
    shutdownTimeoutMs: values.RTMANAGER_SHUTDOWN_TIMEOUT,
    dataDir: values.RTMANAGER_DATA_DIR ?? defaultDataDir(machine),
  });
}

function defaultDataDir(machine: Machine & { readonly dataHome: string | undefined }): string {
  if (machine.isRoot) return '/var/lib/runtime-cleanup';
  const dataHome = machine.dataHome !== undefined && isAbsolute(machine.dataHome) ? machine.dataHome : undefined;
  return join(dataHome ?? join(machine.homeDir, '.local', 'share'), 'runtime-cleanup');
}

/** Every setting with what people need to know of it, in the order of the README's table. */
export function describeSettings(): readonly Setting[] {
  return Object.entries(Variables.shape).flatMap(([name, schema]) => {
    const text = texts.get(schema);
    return text === undefined ? [] : [Object.assign({ name }, text)];
  });
}

/** The settings as they took effect, by variable name, to be printed once at the start; passwords are left out. */
export function effectiveConfig(config: Config): Readonly<Record<string, string | number>> {
  return {
    DATABASE_URL:
      config.databaseUrl === null ? `embedded PostgreSQL in ${config.dataDir}` : shownUrl(config.databaseUrl),
    REDIS_URL: config.redisUrl === null ? 'not set' : shownUrl(config.redisUrl),
    DOCKER_HOST: shownUrl(config.dockerHost),
    DOCKER_TLS_VERIFY: config.dockerTlsVerify ? '1' : 'not set',
    DOCKER_CERT_PATH: config.dockerCertPath ?? 'not set',
    RTMANAGER_QUEUE_BACKEND: config.queueBackend,
    RTMANAGER_LEASE_STORE: config.leaseStore,
    RTMANAGER_CONTAINER_RETENTION_DAYS: config.retentionMs / DAY_MS,
    RTMANAGER_GAME_LEASE_TTL_SECONDS: config.leaseTtlMs / 1_000,
    RTMANAGER_WORKER_CONCURRENCY: config.workerConcurrency,
    RTMANAGER_DOCKER_TIMEOUT: formatDuration(config.dockerTimeoutMs),
    RTMANAGER_CONFLICT_MAX_ATTEMPTS: config.conflictMaxAttempts,
    RTMANAGER_RETRY_MAX_AGE: formatDuration(config.retryMaxAgeMs),
    RTMANAGER_LOG_LEVEL: config.logLevel,
    RTMANAGER_SHUTDOWN_TIMEOUT: formatDuration(config.shutdownTimeoutMs),
    RTMANAGER_DATA_DIR: config.dataDir,
  };
}
