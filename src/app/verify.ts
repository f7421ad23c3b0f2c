import { createPostgresAuditQueue, createRedisAuditQueue } from '../adapters/bullmq/audit/audit-queue.js';
import { identifyEngine } from '../adapters/docker/connection.js';
import { createContainerEngine } from '../adapters/docker/container-engine.js';
import { ownedContainers } from '../adapters/docker/owned-containers.js';
import { createPostgresLeaseAudit } from '../adapters/postgres/lease-audit.js';
import { lending } from '../adapters/postgres/pool.js';
import { createReadOnlyPool } from '../adapters/postgres/read-only-pool.js';
import { createAuditRecords } from '../adapters/prisma/audit-records.js';
import { warmUp } from '../adapters/prisma/client.js';
import { createEngineRegistry } from '../adapters/prisma/engine-registry.js';
import { createRedisLeaseAudit } from '../adapters/redis/lease-audit.js';
import { audit, type AuditOptions } from '../audit/audit.js';
import type { AuditedEngines, AuditEngines, AuditLeases, AuditQueue, AuditRecords } from '../audit/audit-ports.js';
import type { InvariantReport } from '../audit/audit-report.js';
import { type Clock, pause } from '../async/clock.js';
import { shareConnections } from '../config/connections.js';
import { ConfigurationError, type Dependency, messageOf, TimeoutError, UnavailableError } from '../domain/errors.js';
import { type ShutdownStack, createShutdownStack } from './shutdown-stack.js';
import type { Context } from './context.js';
import { connectPool, reachDatabase } from './connect/database.js';
import { type NamedEngine, namedEngines } from './connect/engine.js';
import { connectRedis } from './connect/redis.js';
import { withDeadline, type Deadline } from '../async/deadline.js';

/** For one question; the longest reads a thousand records and their rows of the operation log. */
const ANSWER_LIMIT_MS = 10_000;
const ENGINE_TIMEOUT_MS = 5_000;
const CLOSE_LIMIT_MS = 1_000;
const CONNECTIONS = 4;

type Pool = ReturnType<typeof createReadOnlyPool>;

/**
 * Checks the invariants on the configured stores and engine, and changes nothing there; an unavailable one makes its
 * invariants `unknown`, and never rejects. The graph of the other commands is not used: it migrates the database, it
 * writes, and it must reach all stores.
 */
export async function* verifyInvariants(
  context: Context,
  options: Omit<AuditOptions, 'signal'> = {},
): AsyncGenerator<InvariantReport> {
  const closing = createShutdownStack(context.log);
  try {
    const { clock, signal } = context;
    yield* audit({ ...composeStores(context, closing), engines: enginesOf(context), clock }, { ...options, signal });
  } finally {
    await closing.closeAll();
  }
}

interface Stores {
  readonly records: AuditRecords;
  readonly registry: AuditedEngines;
  readonly leases: AuditLeases;
  readonly queue: AuditQueue;
}

function composeStores(context: Context, closing: ShutdownStack): Stores {
  const { config, clock } = context;
  const database = reach(clock, 'postgresql', () => connectDatabase(context, closing));
  const redis = reach(clock, 'redis', async () => {
    const client = await connectRedis(context, 'commands', closing);
    return { leases: createRedisLeaseAudit(client), queue: createRedisAuditQueue(client) };
  });
  const leases = config.leaseStore === 'redis' ? redis : database;
  const queue = config.queueBackend === 'redis' ? redis : database;
  return {
    records: {
      page: (query) => database(({ records }) => records.page(query)),
      countRemoved: (gameId) => database(({ records }) => records.countRemoved(gameId)),
      namesOf: (engine, containers) => database(({ records }) => records.namesOf(engine, containers)),
      withoutFailureRow: (jobs) => database(({ records }) => records.withoutFailureRow(jobs)),
    },
    registry: {
      list: () => database(({ registry }) => registry.list()),
      named: () => database(({ registry }) => registry.named()),
    },
    leases: { page: (after) => leases((store) => store.leases.page(after)) },
    queue: {
      unlocked: () => queue((store) => store.queue.unlocked()),
      deadLetters: (after, limit) => queue((store) => store.queue.deadLetters(after, limit)),
      deadLetter: (jobId) => queue((store) => store.queue.deadLetter(jobId)),
    },
  };
}

async function connectDatabase(context: Context, closing: ShutdownStack) {
  const { clock } = context;
  const connectionString = await reachDatabase(context, closing);
  const own = context.config.queueDatabaseUrl === null ? 0 : 1;
  const max = Math.min(CONNECTIONS, shareConnections(context.config).records) - own;
  const settings = { connectionString, applicationName: 'runtime-cleanup verify', max };
  const { pool, prisma } = connectPool(context, { ...settings, open: createReadOnlyPool }, bounded(clock, closing));
  await withDeadline(answerDeadline(clock, 'postgresql'), () => warmUp(prisma).then(() => requireTables(pool)));
  return {
    records: createAuditRecords({ prisma }),
    registry: createEngineRegistry({ prisma }),
    leases: createPostgresLeaseAudit({ pool }),
    queue: createPostgresAuditQueue(lending(queuePool(context, pool, closing))),
  };
}

function queuePool({ config, log, clock }: Context, pool: Pool, closing: ShutdownStack): Pool {
  if (config.queueDatabaseUrl === null) return pool;
  const settings = { connectionString: config.queueDatabaseUrl, applicationName: 'runtime-cleanup verify', max: 1 };
  const own = createReadOnlyPool(settings, (error) => log.debug({ reason: messageOf(error) }, 'idle connection lost'));
  bounded(clock, closing).add("queue's database", () => own.end());
  return own;
}

/** A server that hangs lets no connection be closed, and the report is complete by then. */
const bounded = (clock: Clock, closing: ShutdownStack): Pick<ShutdownStack, 'add'> => ({
  add: (what, close) => closing.add(what, () => Promise.race([close(), pause(clock, CLOSE_LIMIT_MS)])),
});

/** The newest table stands for the newest version: this audit reads columns that came with it. */
async function requireTables(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ records: boolean; engines: boolean }>(
    `SELECT to_regclass('runtime_records') IS NOT NULL AS records, to_regclass('engines') IS NOT NULL AS engines`,
  );
  const [found] = rows;
  if (found?.records !== true) {
    throw new ConfigurationError('the database has no tables of this service; "runtime-cleanup migrate" makes them');
  }
  if (!found.engines) {
    throw new ConfigurationError(
      'the database has the tables of an older version; "runtime-cleanup migrate" brings them up to date',
    );
  }
}

type Reach<Opened> = <Answer>(ask: (opened: Opened) => Promise<Answer>) => Promise<Answer>;

/** Opens the store at the first question. A store that did not answer is not asked again: each wait would be as long. */
function reach<Opened>(clock: Clock, dependency: Dependency, open: () => Promise<Opened>): Reach<Opened> {
  let opened: Promise<Opened> | undefined;
  let unavailable: UnavailableError | undefined;
  return async (ask) => {
    if (unavailable !== undefined) throw unavailable;
    opened ??= open();
    try {
      const store = await opened;
      return await withDeadline(answerDeadline(clock, dependency), () => ask(store));
    } catch (error) {
      if (error instanceof UnavailableError) unavailable = error;
      throw error;
    }
  };
}

const answerDeadline = (clock: Clock, dependency: Dependency): Deadline => ({
  clock,
  limitMs: ANSWER_LIMIT_MS,
  late: () => new TimeoutError(`${dependency} did not answer`, ANSWER_LIMIT_MS, { dependency }),
});

/** A client is made at the first question, so that certificates that cannot be read affect one engine and not all. */
function enginesOf({ config, clock }: Context): AuditEngines {
  const timeoutMs = Math.min(ENGINE_TIMEOUT_MS, config.dockerTimeoutMs);
  const clients = new Map<string, ReturnType<NamedEngine['connect']>>();
  // An engine that did not say who it is is not asked again: each wait would be as long.
  const silent = new Map<string, UnavailableError>();
  const asking = (name: string) => {
    const docker = clients.get(name) ?? connectTo(config, name);
    clients.set(name, docker);
    return { docker, clock, timeoutMs };
  };
  return {
    names: () => namedEngines(config).map(({ name }) => name),
    identify: async (name, signal) => {
      const unavailable = silent.get(name);
      if (unavailable !== undefined) throw unavailable;
      try {
        return await identifyEngine({ ...asking(name), signal });
      } catch (error) {
        if (error instanceof UnavailableError) silent.set(name, error);
        throw error;
      }
    },
    look: async (name, containerId, signal) => createContainerEngine(asking(name)).look(containerId, signal),
    // All containers are in one answer.
    owned: async (name, gameId, signal) =>
      ownedContainers({ ...asking(name), timeoutMs: config.dockerTimeoutMs }, gameId, signal),
  };
}

function connectTo(config: Context['config'], name: string): ReturnType<NamedEngine['connect']> {
  const engine = namedEngines(config).find((named) => named.name === name);
  if (engine === undefined) throw new ConfigurationError(`no engine is named ${JSON.stringify(name)} here`);
  return engine.connect();
}
