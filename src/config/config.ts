import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { z } from 'zod';
import { contradictionLines } from './contradictions.js';
import { formatDuration } from './duration.js';
import type { Environment } from './environment.js';
import { formatHttpAddress, type HttpAddress } from './http-address.js';
import { formatShare } from './share.js';
import { shownUrl } from './shown-url.js';
import { unknownNameLines } from './unknown-names.js';
import { describeSettings, type LogLevel, type Values, Variables } from './variables.js';
import { ConfigError } from '../domain/errors.js';
import { visible } from '../domain/text.js';

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
  readonly cleanupIntervalMs: number;
  /** A fraction of the stopped records, above 0 and at most 1. */
  readonly sweepMaxShare: number;
  readonly leaseTtlMs: number;
  readonly workerConcurrency: number;
  readonly dockerTimeoutMs: number;
  readonly conflictMaxAttempts: number;
  readonly retryMaxAgeMs: number;
  readonly logLevel: LogLevel;
  readonly shutdownTimeoutMs: number;
  readonly dataDir: string;
  readonly httpAddress: HttpAddress;
  /** Empty: no token is asked for. */
  readonly apiTokens: readonly string[];
}

const DAY_MS = 86_400_000;

/** The machine's part in the defaults. */
export interface Machine {
  readonly isRoot: boolean;
  readonly homeDir: string;
}

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
  // A name or a value may hold a line feed, or steer the terminal that shows it.
  if (lines.length > 0 || !parsed.success) throw new ConfigError(lines.map(visible));
  return toConfig(parsed.data, { ...machine, dataHome: given['XDG_DATA_HOME'] });
}

function badValueLines(error: z.ZodError, given: Environment): readonly string[] {
  const wrong = new Set(error.issues.map((issue) => issue.path[0]));
  return describeSettings()
    .filter(({ name }) => wrong.has(name))
    .map(({ name, allowed }) => {
      return `${name}: ${shownValue(name, given[name] ?? '')} is not allowed; allowed: ${allowed}`;
    });
}

/** The value as it may be shown to anybody. */
function shownValue(name: string, text: string): string {
  if (name === 'RTMANAGER_API_TOKENS') return 'what is given (a secret, not shown)';
  return JSON.stringify(name.endsWith('_URL') || name === 'DOCKER_HOST' ? shownUrl(text) : text);
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
    cleanupIntervalMs: values.RTMANAGER_CLEANUP_INTERVAL,
    sweepMaxShare: values.RTMANAGER_SWEEP_MAX_SHARE,
    leaseTtlMs: values.RTMANAGER_GAME_LEASE_TTL_SECONDS * 1_000,
    // More jobs at a time make BullMQ's statements on PostgreSQL deadlock when many delayed jobs fall due together.
    workerConcurrency: values.RTMANAGER_WORKER_CONCURRENCY ?? (queueBackend === 'redis' ? 8 : 4),
    dockerTimeoutMs: values.RTMANAGER_DOCKER_TIMEOUT,
    conflictMaxAttempts: values.RTMANAGER_CONFLICT_MAX_ATTEMPTS,
    retryMaxAgeMs: values.RTMANAGER_RETRY_MAX_AGE,
    logLevel: values.RTMANAGER_LOG_LEVEL,
    shutdownTimeoutMs: values.RTMANAGER_SHUTDOWN_TIMEOUT,
    dataDir: values.RTMANAGER_DATA_DIR ?? defaultDataDir(machine),
    httpAddress: values.RTMANAGER_INTERNAL_HTTP_ADDR,
    apiTokens: values.RTMANAGER_API_TOKENS ?? [],
  });
}

function defaultDataDir(machine: Machine & { readonly dataHome: string | undefined }): string {
  if (machine.isRoot) return '/var/lib/runtime-cleanup';
  const dataHome = machine.dataHome !== undefined && isAbsolute(machine.dataHome) ? machine.dataHome : undefined;
  return join(dataHome ?? join(machine.homeDir, '.local', 'share'), 'runtime-cleanup');
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
    RTMANAGER_CLEANUP_INTERVAL: formatDuration(config.cleanupIntervalMs),
    RTMANAGER_SWEEP_MAX_SHARE: formatShare(config.sweepMaxShare),
    RTMANAGER_GAME_LEASE_TTL_SECONDS: config.leaseTtlMs / 1_000,
    RTMANAGER_WORKER_CONCURRENCY: config.workerConcurrency,
    RTMANAGER_DOCKER_TIMEOUT: formatDuration(config.dockerTimeoutMs),
    RTMANAGER_CONFLICT_MAX_ATTEMPTS: config.conflictMaxAttempts,
    RTMANAGER_RETRY_MAX_AGE: formatDuration(config.retryMaxAgeMs),
    RTMANAGER_INTERNAL_HTTP_ADDR: formatHttpAddress(config.httpAddress),
    RTMANAGER_API_TOKENS: config.apiTokens.length === 0 ? 'not set' : `${config.apiTokens.length} given`,
    RTMANAGER_LOG_LEVEL: config.logLevel,
    RTMANAGER_SHUTDOWN_TIMEOUT: formatDuration(config.shutdownTimeoutMs),
    RTMANAGER_DATA_DIR: config.dataDir,
  };
}
