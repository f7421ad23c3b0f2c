/** A small platform of the run's own: a database, a queue, leases, an environment for the programs that use them. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pingEngine } from '../src/adapters/docker/connection.js';
import type { Context } from '../src/app/context.js';
import { openDatabase } from '../src/app/connect/database.js';
import { dockerOf } from '../src/app/connect/engine.js';
import { connectRedis, type RedisClient } from '../src/app/connect/redis.js';
import { type Config, readConfig } from '../src/config/config.js';
import type { Environment } from '../src/config/environment.js';
import { messageOf } from '../src/domain/errors.js';
import { type Containers, openContainers } from './containers.js';
import { createOwnDatabase } from './own-database.js';
import { createOtherLeases, type OtherLeases } from './other-leases.js';
import { openOtherService, type OtherService } from './other-service.js';
import { createPrograms, type Programs } from './programs.js';
import { createRecords, type Records } from './records.js';
import { claimEmptyDatabase, withDatabase } from './redis-database.js';
import { CONFLICT_MAX_ATTEMPTS, RETENTION_DAYS } from './scenario-words.js';
import type { TidyUp } from './tidy-up.js';
import type { Patience } from './waiting.js';

export interface Platform {
  readonly config: Config;
  readonly containers: Containers;
  readonly records: Records;
  readonly leases: OtherLeases;
  readonly service: OtherService;
  readonly programs: Programs;
  /** What the service writes goes there. */
  readonly logFile: string;
  /** Of the HTTP API. */
  readonly token: string;
}

export interface PlatformOptions {
  /** What the user has configured; its engine is used, and its servers where it has some. */
  readonly given: Pick<Context, 'config' | 'log' | 'clock' | 'signal'>;
  readonly environment: Environment;
  readonly runId: string;
  /** A folder of the run's own. */
  readonly folder: string;
  readonly logFile: string;
}

const PATIENCE_MS = 20_000;
const ENGINE_TIMEOUT_MS = 5_000;
const LEASE_TTL_SECONDS = 5;

/** A folder that the database server may enter, which does not run as root. */
export async function makeFolder(runId: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `runtime-cleanup-demo-${runId}-`));
  await chmod(folder, 0o755);
  return folder;
}

export async function openPlatform(options: PlatformOptions, tidyUp: TidyUp): Promise<Platform> {
  const { given, runId, logFile } = options;
  const token = randomBytes(24).toString('base64url');
  const patience: Patience = given;
  const docker = dockerOf(given.config);
  await pingEngine({ docker, clock: given.clock, timeoutMs: ENGINE_TIMEOUT_MS, signal: given.signal });
  const { redis, redisUrl } = await openRedis(options, tidyUp);
  const databaseUrl = await makeDatabase(options, tidyUp);
  const environment = environmentFor(options, { databaseUrl, redisUrl, token });
  const context: Context = { ...given, config: readConfig(environment), patienceMs: PATIENCE_MS };
  const { config } = context;
  const opening = openDatabase(context);
  const preparing = openContainers(docker, runId, patience);
  // Both are waited for, whatever becomes of the other, so that none is left behind.
  const [database, containers] = await Promise.allSettled([opening, preparing]);
  tidyUp.add('data folder', () => rm(config.dataDir, { recursive: true, force: true }));
  if (database.status === 'fulfilled') tidyUp.add('database', database.value.close);
  if (containers.status === 'fulfilled') tidyUp.add('containers', containers.value.removeAll);
  if (database.status === 'rejected') throw database.reason;
  if (containers.status === 'rejected') throw containers.reason;

  const service = await openOtherService({
    config,
    databaseUrl: database.value.url,
    onError: (error) => given.log.debug({ reason: messageOf(error) }, 'queue connection error'),
  });
  tidyUp.add('queue', service.close);
  return {
    config,
    containers: containers.value,
    records: createRecords(database.value.pool),
    leases: createOtherLeases(database.value, config.leaseStore === 'redis' ? redis : null),
    service,
    programs: createPrograms({ environment, logFile }),
    logFile,
    token,
  };
}

/** On the given server; null: the embedded one is used, in a folder of the run's own. */
async function makeDatabase({ given, runId }: PlatformOptions, tidyUp: TidyUp): Promise<string | null> {
  if (given.config.databaseUrl === null) return null;
  const { url, drop } = await createOwnDatabase(given.config.databaseUrl, runId);
  tidyUp.add('database on the given server', drop);
  return url;
}

/** A database of the given Redis, where it is used at all. */
async function openRedis(
  { given, runId }: PlatformOptions,
  tidyUp: TidyUp,
): Promise<{ readonly redis: RedisClient | null; readonly redisUrl: string | null }> {
  const { config } = given;
  const isUsed = config.queueBackend === 'redis' || config.leaseStore === 'redis';
  if (config.redisUrl === null || !isUsed) return { redis: null, redisUrl: null };
  const redis = await connectRedis({ ...given, patienceMs: PATIENCE_MS }, 'commands', tidyUp);
  const claimed = await claimEmptyDatabase(redis, runId);
  tidyUp.add(`Redis database ${claimed.number}`, claimed.empty);
  return { redis, redisUrl: withDatabase(config.redisUrl, claimed.number) };
}

/** The user's environment, but for what would lead to a live platform, and with settings that make haste. */
function environmentFor(
  { given, environment, folder }: PlatformOptions,
  {
    databaseUrl,
    redisUrl,
    token,
  }: { readonly databaseUrl: string | null; readonly redisUrl: string | null; readonly token: string },
): Record<string, string> {
  const { config } = given;
  const isTheirs = (name: string): boolean =>
    !name.startsWith('RTMANAGER_') && name !== 'DATABASE_URL' && name !== 'REDIS_URL';
  const theirs = Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined && isTheirs(name) ? [[name, value] as const] : [],
  );
  return {
    ...Object.fromEntries(theirs),
    ...(databaseUrl === null ? {} : { DATABASE_URL: databaseUrl }),
    ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }),
    RTMANAGER_DATA_DIR: join(folder, 'data'),
    RTMANAGER_QUEUE_BACKEND: config.queueBackend,
    RTMANAGER_LEASE_STORE: config.leaseStore,
    RTMANAGER_CONFLICT_MAX_ATTEMPTS: String(CONFLICT_MAX_ATTEMPTS),
    RTMANAGER_CONTAINER_RETENTION_DAYS: String(RETENTION_DAYS),
    RTMANAGER_GAME_LEASE_TTL_SECONDS: String(LEASE_TTL_SECONDS),
    RTMANAGER_INTERNAL_HTTP_ADDR: '127.0.0.1:0',
    RTMANAGER_API_TOKENS: token,
  };
}
