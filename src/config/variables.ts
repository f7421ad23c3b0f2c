/** Every variable that is read: its default, what it is, and what it may be. `--help` and the README are made of it. */
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { parseDurationMs } from './duration.js';
import { DEFAULT_HTTP_ADDRESS, parseHttpAddress } from './http-address.js';
import { parseShare } from './share.js';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What people are told about one variable. */
interface SettingText {
  readonly fallback: string;
  readonly meaning: string;
  readonly allowed: string;
  readonly unit?: string;
}

export interface Setting extends SettingText {
  readonly name: string;
}

const STORES = ['redis', 'postgres'] as const;
const texts = z.registry<SettingText>();

/** A setting with a default; the default is read like any other value. */
const setting = <Out>(schema: z.ZodType<Out, string>, text: SettingText) =>
  schema.prefault(text.fallback).register(texts, text);

/** A setting that may be missing; `fallback` then says what happens. */
const optional = <Out>(schema: z.ZodType<Out, string>, text: SettingText) => schema.optional().register(texts, text);

const matching = (isAllowed: (text: string) => boolean) => z.string().refine(isAllowed);
// A URL's parser passes over line feeds and tabs as if they were not there.
const isUrl = (text: string, schemes: readonly string[]): boolean =>
  URL.canParse(text) && !/\p{Cc}/u.test(text) && schemes.some((scheme) => text.startsWith(`${scheme}://`));
const url = (...schemes: readonly string[]) => matching((text) => isUrl(text, schemes));
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

/** Text that a parser of ours understands; undefined is its "no". */
const parsed = <Out>(parse: (text: string) => Out | undefined) =>
  z.string().transform((text, context) => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue('not allowed');
    return z.NEVER;
  });

/** What its client would stumble over when it connects: an escape that is none, a database that is no number. */
function isRedisUrl(text: string): boolean {
  if (!isUrl(text, ['redis', 'rediss'])) return false;
  const { username, password, pathname } = new URL(text);
  return isEscaped(username) && isEscaped(password) && /^(?:\/\d{0,5})?$/.test(pathname);
}

function isEscaped(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

const TOKEN_MIN_CHARACTERS = 16;
/** What may stand behind `Bearer ` (RFC 6750), long enough not to be guessed. */
const TOKEN = new RegExp(String.raw`^[\w.~+/-]{${TOKEN_MIN_CHARACTERS},}=*$`);

function parseTokens(text: string): readonly string[] | undefined {
  const tokens = text.split(',').map((token) => token.trim());
  return tokens.every((token) => TOKEN.test(token)) ? tokens : undefined;
}

export const Variables = z.object({
  DATABASE_URL: optional(url('postgresql', 'postgres'), {
    fallback: 'an embedded PostgreSQL in `RTMANAGER_DATA_DIR`',
    meaning: 'PostgreSQL with the runtime records, the operation log and, unless told otherwise, queue and leases',
    allowed: 'postgresql://user:password@host:port/database',
  }),
  REDIS_URL: optional(matching(isRedisUrl), {
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
  RTMANAGER_CLEANUP_INTERVAL: setting(duration('1s', '24h'), {
    fallback: '1h',
    meaning: 'how often the retention sweep looks for containers that are due',
    allowed: 'a number and its unit (ms, s, m or h), from 1s to 24h',
  }),
  RTMANAGER_SWEEP_MAX_SHARE: setting(parsed(parseShare), {
    fallback: '50%',
    meaning:
      'a sweep that would remove more than this share of the stopped containers, where there are 100 or more, removes none: a mistyped retention must not become a massacre',
    allowed: 'above 0 and at most 100%, as 50% or 0.5; 100% sets no limit',
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
    allowed: 'a number and its unit (ms, s, m or h), from 100ms to 1h',
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
    allowed: 'a number and its unit (ms, s, m or h), from 1s to 720h',
  }),
  RTMANAGER_INTERNAL_HTTP_ADDR: setting(parsed(parseHttpAddress), {
    fallback: DEFAULT_HTTP_ADDRESS,
    meaning: 'where the HTTP API and the dashboard listen',
    allowed: 'host:port, [ipv6]:port, or :port for every address; beyond loopback only with RTMANAGER_API_TOKENS',
  }),
  RTMANAGER_API_TOKENS: optional(parsed(parseTokens), {
    fallback: 'no token is asked for, and the server listens on loopback only',
    meaning:
      'secrets of which each caller of the HTTP API must show one, as `Authorization: Bearer`; a browser asks for it as password',
    allowed: `one or more, separated by commas, each at least ${TOKEN_MIN_CHARACTERS} letters, digits or . _ ~ + / - characters`,
  }),
  RTMANAGER_LOG_LEVEL: setting(z.enum(LOG_LEVELS), {
    fallback: 'info',
    meaning: 'least severe log line written; `debug` also shows stack traces on the command line',
    allowed: LOG_LEVELS.join(', '),
  }),
  RTMANAGER_SHUTDOWN_TIMEOUT: setting(duration('0s', '1h'), {
    fallback: '30s',
    meaning: 'how long running jobs may go on after SIGTERM before they are interrupted and put back',
    allowed: 'a number and its unit (ms, s, m or h), from 0s to 1h',
  }),
  RTMANAGER_DATA_DIR: optional(matching(isAbsolute), {
    fallback:
      '/var/lib/runtime-cleanup for root, else `$XDG_DATA_HOME/runtime-cleanup` or `~/.local/share/runtime-cleanup`',
    meaning: 'folder of the embedded PostgreSQL, used when `DATABASE_URL` is not set',
    allowed: 'an absolute path',
  }),
});

export type Values = z.output<typeof Variables>;

/** Every setting with what people need to know of it, in the order of the README's table. */
export function describeSettings(): readonly Setting[] {
  return Object.entries(Variables.shape).flatMap(([name, schema]) => {
    const text = texts.get(schema);
    return text === undefined ? [] : [Object.assign({ name }, text)];
  });
}
