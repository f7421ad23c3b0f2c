import { readConnectionUsage } from '../../adapters/postgres/connection-usage.js';
import { connectCure } from '../../adapters/postgres/connect-failure.js';
import { readRights } from '../../adapters/postgres/rights.js';
import { createRedisLeaseStore } from '../../adapters/redis/lease-store.js';
import { checkRedis as checkServers } from '../../adapters/redis/server-check.js';
import { tlsFailure } from '../../adapters/tls-failure.js';
import type { Check } from '../../cli/command-context.js';
import { leastConnections } from '../../config/connections.js';
import { isServerFull } from '../../adapters/postgres/server-full.js';
import { withDeadline } from '../../async/deadline.js';
import { ConfigurationError, messageOf, TimeoutError } from '../../domain/errors.js';
import { newLeaseToken } from '../random.js';
import { type ShutdownStack, createShutdownStack } from '../shutdown-stack.js';
import type { Context } from '../context.js';
import { composeCore, type Core } from '../compose-core.js';
import { connectDatabase, type Database, storesInPostgres } from '../connect/database.js';
import { checkApi } from './api-check.js';
import { connectionsFinding } from './connections-check.js';
import { checkDatabase } from './database-check.js';
import { redisAdvice } from './redis-advice.js';
import { rightsFinding } from './rights-check.js';
import { retentionFinding, scheduleFinding } from './retention-check.js';
import { socketAdvice } from './socket-advice.js';
import { checkEngine, enginesFinding, readStoredEngines, type StoredEngines } from './engine-check.js';
import { engineCheckName, namedEngines } from '../connect/engine.js';
import { connectRedis } from '../connect/redis.js';
import { requireRedisRights } from '../connect/redis-rights.js';

const PROBE_LEASE_MS = 2_000;
const USAGE_LIMIT_MS = 2_000;

const START_REDIS = 'start Redis, or correct REDIS_URL; a Redis that was just started may still load its data';

type Finding = Omit<Check, 'name'>;

const openAsItIs = (context: Context): Promise<Database> => connectDatabase(context, 'runtime-cleanup doctor');

/** Checks everything that the service needs, one after the other; an unavailable dependency never makes it reject. */
export async function* checkDependencies(context: Context): AsyncGenerator<Check> {
  const closing = createShutdownStack(context.log);
  const core = composeCore(context);
  closing.add('stores', core.close);
  try {
    // The engines are compared with what the database knows of them, so it is opened first; its own check follows.
    const opened = core.connectDatabase(openAsItIs);
    const stored = await readStoredEngines(context, opened, core.engines.list);
    yield* checkEngines(context, stored);
    const database = await check('database', 'start PostgreSQL, or set DATABASE_URL', async () =>
      checkDatabase(await opened),
    );
    yield database;
    const connections = await checkConnections(context, opened);
    // What makes the database's check fail may be that it gets no second connection.
    if (database.status !== 'failed' || connections.status !== 'failed') yield connections;
    if (database.status === 'ok') {
      yield await check('rights', 'run deploy/roles.sql', async () => checkRights(context, await opened));
      yield await checkNames(context, core);
    }
    if (context.config.redisUrl !== null) {
      const redis = await check('redis', START_REDIS, () => checkRedis(context, closing));
      yield redis;
      if (redis.status === 'failed') return;
    }
    if (database.status === 'failed') return;
    const queue = await check('queue', 'repair the store above; a worker creates the queue at its first start', () =>
      checkQueue(core),
    );
    yield queue;
    if (context.config.leaseStore === 'redis') {
      yield await check('leases', 'repair Redis above', () => checkLeases(context, closing));
    }
    // The questions about retention would fail on tables that are not migrated.
    if (database.status === 'ok' && queue.status !== 'failed') yield* checkRetention(context, core);
    yield await check('api', 'correct RTMANAGER_INTERNAL_HTTP_ADDR', () => checkApi(context));
  } finally {
    await closing.closeAll();
  }
}

async function* checkEngines(context: Context, stored: StoredEngines): AsyncGenerator<Check> {
  for (const [name, look] of engineChecks(context, stored)) yield await check(name, 'repair DOCKER_HOST', look);
}

/** A docker context that cannot be used is the finding of the one check. */
function engineChecks(
  context: Context,
  stored: StoredEngines,
): readonly (readonly [name: string, look: () => Promise<Finding>])[] {
  try {
    return namedEngines(context.config).map((engine) => [
      engineCheckName(engine.name),
      () => checkEngine(context, engine, stored),
    ]);
  } catch (error) {
    const refuse = async (): Promise<never> => {
      throw error;
    };
    return [['engine', refuse]];
  }
}

function checkConnections({ config, clock }: Context, opened: Promise<Database>): Promise<Check> {
  const needed = { most: config.maxConnections, least: leastConnections(config) };
  const late = (): TimeoutError => new TimeoutError('no answer', USAGE_LIMIT_MS, { dependency: 'postgresql' });
  return check('connections', 'repair the database above', async () => {
    const { pool } = await opened;
    return connectionsFinding(
      await withDeadline({ clock, limitMs: USAGE_LIMIT_MS, late }, () => readConnectionUsage(pool)),
      needed,
    );
  });
}

/** What workers have found at the engines, and the names that records give to engines. */
function checkNames({ config }: Context, { engines }: Core): Promise<Check> {
  return check('engines', 'repair the database above', async () => {
    const here = namedEngines(config).map(({ name }) => name);
    return enginesFinding({ stored: await engines.list(), named: await engines.named(), here });
  });
}

async function* checkRetention(
  { config: { cleanupIntervalMs: intervalMs } }: Context,
  { queues, now, retention }: Core,
): AsyncGenerator<Check> {
  yield await check('schedule', 'repair the queue above', async () =>
    scheduleFinding(await queues.schedule.status(), { now: await now(), intervalMs }),
  );
  yield await check('retention', 'repair database and queue above', async () =>
    retentionFinding(await retention.summary(), intervalMs),
  );
}

async function check(name: string, advice: string, look: () => Promise<Finding>): Promise<Check> {
  try {
    return { name, ...(await look()) };
  } catch (error) {
    return { name, status: 'failed', detail: messageOf(error), ...adviceFor(error, advice) };
  }
}

/** Some errors say themselves what to do; a refused login comes from a server that runs. */
function adviceFor(error: unknown, advice: string): { readonly advice?: string } {
  if (error instanceof ConfigurationError || isServerFull(error)) return {};
  if (tlsFailure(error) !== undefined || connectCure(error) !== undefined) return {};
  const fromRedis = redisAdvice(messageOf(error));
  if (fromRedis !== undefined) return { advice: fromRedis };
  if (/authentication failed|no pg_hba/i.test(messageOf(error))) {
    return { advice: 'check user and password in the address' };
  }
  return { advice: socketAdvice(messageOf(error)) ?? advice };
}

async function checkRights({ config }: Context, { pool }: Database): Promise<Finding> {
  return rightsFinding(await readRights(pool, storesInPostgres(config)));
}

async function checkRedis(context: Context, closing: ShutdownStack): Promise<Finding> {
  const redis = await connectRedis(context, 'commands', closing);
  const { version, maxmemoryPolicy } = await checkServers(redis);
  if (maxmemoryPolicy !== undefined) return ok(`Redis ${version}, maxmemory-policy ${maxmemoryPolicy}`);
  return {
    status: 'warn',
    detail: `Redis ${version}, which does not report its maxmemory-policy`,
    advice: 'make sure that it is noeviction; any other may drop leases and jobs',
  };
}

async function checkQueue({ connectQueueStore, queues }: Core): Promise<Finding> {
  const backend = await connectQueueStore();
  await backend.checkWritable();
  const { waiting, delayed, active, failed } = await queues.producer.counts();
  const detail = `on ${backend.kind}: ${waiting} waiting, ${delayed} delayed, ${active} active, ${failed} dead letters`;
  if (failed === 0) return ok(detail);
  return { status: 'warn', detail, advice: 'list them: "runtime-cleanup dead-letters list"' };
}

/** Acquires and releases a lease of a game that cannot exist: its id has a control character. */
async function checkLeases(context: Context, closing: ShutdownStack): Promise<Finding> {
  const redis = await connectRedis(context, 'commands', closing);
  await requireRedisRights(context, redis, 'leases');
  const store = createRedisLeaseStore({ redis });
  const token = newLeaseToken();
  const key = `\u0000doctor ${token}`;
  const acquired = await store.acquire(key, token, PROBE_LEASE_MS);
  const released = await store.release(key, token);
  if (acquired && released) return ok('a lease can be acquired and released');
  return {
    status: 'failed',
    detail: `a lease could not be ${acquired ? 'released' : 'acquired'}`,
    advice: 'see the log of Redis',
  };
}

const ok = (detail: string): Finding => ({ status: 'ok', detail });
