/** A small platform for one run: a database, a queue, leases, and the environment of the programs that use them. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identifyEngine, pingEngine } from '../../src/adapters/docker/connection.js';
import type { Context } from '../../src/app/context.js';
import { openDatabase } from '../../src/app/connect/database.js';
import { dockerOf, engineSettings } from '../../src/app/connect/engine.js';
import { connectRedis, type RedisClient } from '../../src/app/connect/redis.js';
import { type Config, readConfig } from '../../src/config/config.js';
import type { Environment } from '../../src/config/environment.js';
import { messageOf } from '../../src/domain/errors.js';
import type { EngineIdentity } from '../../src/engines/engine-ports.js';
import { type Containers, openContainers } from '../containers/containers.js';
import { type EngineAddress, openEngineAddress } from './engine-address.js';
import { createOwnDatabase } from './own-database.js';
import { createOtherLeases, type OtherLeases } from './other-leases.js';
import { openOtherService, type OtherService } from './other-service.js';
import { createPrograms, type Programs, requireBuild } from './programs.js';
import { createRecords, type Records } from './records.js';
import { claimEmptyDatabase, withDatabase } from './redis-database.js';
import { CONFLICT_MAX_ATTEMPTS, RETENTION_DAYS } from '../scenarios/scenario-builders.js';
import type { TidyUp } from './tidy-up.js';

export interface Platform {
  readonly config: Config;
  readonly containers: Containers;
  /** What the service uses as its engine. */
  readonly engineAddress: EngineAddress;
  /** Who the real engine is. */
  readonly engineIdentity: EngineIdentity;
  readonly records: Records;
  readonly leases: OtherLeases;
  readonly service: OtherService;
  readonly programs: Programs;
  /** Takes the service's output. */
  readonly logFile: string;
  /** The bearer token of the HTTP API. */
  readonly token: string;
}

export interface PlatformOptions {
  /** The user's configuration: its engine is used, and its database and Redis servers when it names them. */
  readonly user: Pick<Context, 'config' | 'log' | 'clock' | 'signal'>;
  readonly environment: Environment;
  readonly runId: string;
  /** The run's own folder. */
  readonly folder: string;
  readonly logFile: string;
}

const CONNECT_LIMIT_MS = 20_000;
const ENGINE_TIMEOUT_MS = 5_000;
const LEASE_TTL_SECONDS = 5;

/** Readable for other users, because an embedded database server does not run as root. */
export async function createFolder(runId: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `runtime-cleanup-demo-${runId}-`));
  await chmod(folder, 0o755);
  return folder;
}

export async function openPlatform(options: PlatformOptions, tidyUp: TidyUp): Promise<Platform> {
  requireBuild();
  const { user, runId, logFile } = options;
  const token = randomBytes(24).toString('base64url');
  const docker = dockerOf(user.config);
  const asked = { docker, clock: user.clock, timeoutMs: ENGINE_TIMEOUT_MS, signal: user.signal };
  await pingEngine(asked);
  const engineIdentity = await identifyEngine(asked);
  const engineAddress = await openEngineAddress(engineSettings(user.config), options.folder);
  tidyUp.add('address of the engine', engineAddress.close);
  const { redis, redisUrl } = await openRedis(options, tidyUp);
  const databaseUrl = await createDatabase(options, tidyUp);
  const environment = environmentFor(options, { databaseUrl, redisUrl, token, dockerHost: engineAddress.host });
  const context: Context = { ...user, config: readConfig(environment), patienceMs: CONNECT_LIMIT_MS };
  const { config } = context;
  const opening = openDatabase(context);
  const preparing = openContainers(docker, runId, user);
  // Both must have settled before tidying up begins, also when one of them failed: it would miss what comes later.
  const [database, containers] = await Promise.allSettled([opening, preparing]);
  const { dataDir } = config;
  if (dataDir !== null) tidyUp.add('data folder', () => rm(dataDir, { recursive: true, force: true }));
  if (database.status === 'fulfilled') tidyUp.add('database', database.value.close);
  if (containers.status === 'fulfilled') tidyUp.add('containers', containers.value.removeAll);
  if (database.status === 'rejected') throw database.reason;
  if (containers.status === 'rejected') throw containers.reason;

  const service = await openOtherService({
    config,
    databaseUrl: database.value.url,
    onError: (error) => user.log.debug({ reason: messageOf(error) }, 'queue connection error'),
  });
  tidyUp.add('queue', service.close);
  return {
    config,
    containers: containers.value,
    engineAddress,
    engineIdentity,
    records: createRecords(database.value.pool),
    leases: createOtherLeases(database.value, config.leaseStore === 'redis' ? redis : null),
    service,
    programs: createPrograms({ environment, logFile }),
    logFile,
    token,
  };
}

/** On the user's server; null when the embedded one is used, in the run's own folder. */
async function createDatabase({ user, runId }: PlatformOptions, tidyUp: TidyUp): Promise<string | null> {
  if (user.config.databaseUrl === null) return null;
  const { url, drop } = await createOwnDatabase(user.config.databaseUrl, runId);
  tidyUp.add('database on the server of DATABASE_URL', drop);
  return url;
}

/** A logical database of the user's Redis; null when the configuration uses no Redis. */
async function openRedis(
  { user, runId }: PlatformOptions,
  tidyUp: TidyUp,
): Promise<{ readonly redis: RedisClient | null; readonly redisUrl: string | null }> {
  const { config } = user;
  const isUsed = config.queueBackend === 'redis' || config.leaseStore === 'redis';
  if (config.redisUrl === null || !isUsed) return { redis: null, redisUrl: null };
  const redis = await connectRedis({ ...user, patienceMs: CONNECT_LIMIT_MS }, 'commands', tidyUp);
  const claimed = await claimEmptyDatabase(redis, runId);
  tidyUp.add(`Redis database ${claimed.number}`, claimed.empty);
  return { redis, redisUrl: withDatabase(config.redisUrl, claimed.number) };
}

interface OwnSettings {
  readonly databaseUrl: string | null;
  readonly redisUrl: string | null;
  readonly token: string;
  readonly dockerHost: string;
}

/** What leads to the user's stores and engine: the programs of the demo get other addresses. */
const LEADS_TO_OWN = new Set([
  'DATABASE_URL',
  'REDIS_URL',
  'DOCKER_HOST',
  'DOCKER_CONTEXT',
  'DOCKER_TLS_VERIFY',
  'DOCKER_CERT_PATH',
]);

/** The user's environment without the settings that lead to a live platform, and with short times. */
function environmentFor(
  { user, environment, folder }: PlatformOptions,
  { databaseUrl, redisUrl, token, dockerHost }: OwnSettings,
): Record<string, string> {
  const { config } = user;
  const isKept = (name: string): boolean => !name.startsWith('RTMANAGER_') && !LEADS_TO_OWN.has(name);
  const kept = Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined && isKept(name) ? [[name, value] as const] : [],
  );
  return {
    ...Object.fromEntries(kept),
    ...(databaseUrl === null ? {} : { DATABASE_URL: databaseUrl }),
    ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }),
    DOCKER_HOST: dockerHost,
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
