/**
 * One place where experiments happen: a database, a Redis database and an engine behind proxies of its own, worker
 * processes as a user starts them, and everything that is needed to tell afterwards what happened.
 */
import { Pool } from 'pg';
import { isCluster } from '../../../src/adapters/redis/cluster-masters.js';
import { createRedis, type RedisClient } from '../../../src/adapters/redis/connection.js';
import { databasesOn } from '../../support/postgres/databases.js';
import { type EngineFaultProxy, startEngineFaultProxy } from '../../support/engine/engine-fault-proxy.js';
import { type Service, startService } from '../../support/service.js';
import { startTcpFaultProxy, type TcpFaultProxy } from '../../support/network/tcp-fault-proxy.js';
import { createTestContainers, type TestContainers } from '../../support/engine/test-containers.js';
import type { Servers, Store } from '../experiment.js';
import { type Audit, installAudit } from './audit.js';
import { type Jobs, openJobs } from './jobs.js';
import { createOtherLeases, type OtherLeases } from './other-leases.js';
import { createStepControl, type StepControl } from './step-control.js';

type Environment = Readonly<Record<string, string>>;

/** Leases of a life, in seconds, that lets a crash heal as fast as the queue finds it. */
const LEASE_SECONDS = 3;
// On a machine that is busy with many sites.
const STARTED_WITHIN_MS = 180_000;

export interface Site {
  readonly store: Store;
  /** Straight to the database, past the proxy. */
  readonly db: Pool;
  /** Straight to the engine, past the proxy. */
  readonly containers: TestContainers;
  /** Straight to the queue. */
  readonly jobs: Jobs;
  /** The game leases as another service takes them. */
  readonly leases: OtherLeases;
  /** What stands between the workers and the engine. */
  readonly engine: EngineFaultProxy;
  /** Requests go to an engine without containers, until the returned function is called; undefined where there is none. */
  readonly swapEngine: () => (() => void) | undefined;
  /** What stands between the workers and their stores; `redis` on that store alone, and only to one server. */
  readonly lines: { readonly postgres: TcpFaultProxy; readonly redis: TcpFaultProxy | undefined };
  readonly stepControl: StepControl;
  readonly audit: Audit;
  /** Starts a worker process; resolves when it takes jobs. */
  readonly startWorker: (more?: Environment) => Promise<Service>;
  /** Every worker process that was started and has not ended. */
  readonly workers: () => readonly Service[];
  /** Runs a command of the program against this site to its end; its lines are straight, past the proxies. */
  readonly command: (...args: readonly string[]) => Promise<{ readonly exitCode: number | null } & Said>;
  /** The environment of such a command. */
  readonly straight: Environment;
  readonly close: () => Promise<void>;
}

interface Said {
  readonly stdout: string;
  readonly stderr: string;
}

interface SiteOptions {
  readonly store: Store;
  /** Sites that stand at the same time have different lanes, 0 to 14: each is a database of the one Redis server. */
  readonly lane: number;
  /** For every worker. */
  readonly environment?: Environment;
}

export async function openSite(servers: Servers, { store, lane, environment = {} }: SiteOptions): Promise<Site> {
  const database = await databasesOn(servers.postgresUrl).migrated();
  const db = new Pool({ connectionString: database.url, max: 6 });
  db.on('error', () => undefined);
  const audit = await installAudit(db);
  // A cluster has one database, and sentinels name one too: such a site stands alone.
  const isOneServer = servers.redisUrl.startsWith('redis://');
  const redisUrl = store === 'redis' ? (isOneServer ? `${servers.redisUrl}/${lane + 1}` : servers.redisUrl) : undefined;
  const redis =
    redisUrl === undefined ? undefined : createRedis({ url: redisUrl, role: 'blocking', onError: () => undefined });
  if (redis !== undefined) await empty(redis);

  const containers = await createTestContainers(servers.engineSocket);
  const engine = await startEngineFaultProxy({ engineSocket: servers.engineSocket });
  const lines = {
    postgres: await startTcpFaultProxy({ port: portOf(database.url) }),
    redis: redisUrl === undefined || !isOneServer ? undefined : await startTcpFaultProxy({ port: portOf(redisUrl) }),
  };
  const jobs = await openJobs(store, redisUrl ?? database.url);
  const stepControl = createStepControl();
  const running = new Set<Service>();

  const straight: Environment = {
    DATABASE_URL: database.url,
    DOCKER_HOST: `unix://${servers.engineSocket}`,
    RTMANAGER_GAME_LEASE_TTL_SECONDS: String(LEASE_SECONDS),
    ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
    ...environment,
  };
  const throughProxies: Environment = {
    ...straight,
    DATABASE_URL: lines.postgres.urlFor(database.url),
    DOCKER_HOST: `unix://${engine.socketPath}`,
    RTMANAGER_DOCKER_TIMEOUT: '2s',
    ...(redisUrl === undefined || lines.redis === undefined ? {} : { REDIS_URL: lines.redis.urlFor(redisUrl) }),
    ...stepControl.environment,
    ...environment,
  };

  return {
    store,
    db,
    containers,
    jobs,
    leases: createOtherLeases({ db, redis }),
    engine,
    swapEngine: () => {
      if (servers.otherEngineSocket === undefined) return undefined;
      engine.redirect(servers.otherEngineSocket);
      return () => engine.redirect(servers.engineSocket);
    },
    lines,
    stepControl,
    audit,
    startWorker: async (more = {}) => {
      const worker = startService(['worker'], { ...throughProxies, ...more }, servers.program);
      running.add(worker);
      void worker.exit.then(() => running.delete(worker));
      await worker.logged('taking jobs', STARTED_WITHIN_MS);
      return worker;
    },
    workers: () => [...running],
    straight,
    command: async (...args) => {
      const service = startService(args, straight, servers.program);
      const exitCode = await service.exit;
      return { exitCode, stdout: service.stdout(), stderr: service.stderr() };
    },
    close: async () => {
      // A frozen process can be killed as it is.
      await Promise.all([...running].map((worker) => worker.kill()));
      await jobs.close();
      await Promise.all([engine.close(), lines.postgres.close(), lines.redis?.close()]);
      await containers.clear();
      stepControl.remove();
      if (redis !== undefined) await empty(redis);
      redis?.disconnect();
      await db.end();
      await database.drop();
    },
  };
}

async function empty(redis: RedisClient): Promise<void> {
  // The client of a cluster knows its nodes once it has answered.
  await redis.ping();
  await Promise.all((isCluster(redis) ? redis.nodes('master') : [redis]).map((server) => server.flushdb()));
}

const portOf = (url: string): number => Number(new URL(url).port);
