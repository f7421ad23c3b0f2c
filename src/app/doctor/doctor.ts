import { pingEngine } from '../../adapters/docker/connection.js';
import { pendingMigrations } from '../../adapters/postgres/migrate.js';
import { createPool } from '../../adapters/postgres/pool.js';
import { createCleanupQueue } from '../../adapters/bullmq/producer/cleanup-queue.js';
import { createRedisLeaseStore } from '../../adapters/redis/lease-store.js';
import { checkRedisServer } from '../../adapters/redis/server-check.js';
import type { Check } from '../../cli/command-context.js';
import { ConfigurationError, messageOf, UnavailableError } from '../../domain/errors.js';
import { newLeaseToken } from '../random.js';
import { type ShutdownStack, createShutdownStack } from '../shutdown-stack.js';
import type { Context } from '../context.js';
import { MIGRATIONS_DIR, reachDatabase } from '../connect/database.js';
import { checkApi } from './api-check.js';
import { openRetentionChecks } from './retention-check.js';
import { dockerOf, shownEngine } from '../connect/engine.js';
import { openQueueBackend, queueReport } from '../connect/queue-store.js';
import { connectRedis } from '../connect/redis.js';

const ENGINE_TIMEOUT_MS = 5_000;
const PROBE_LEASE_MS = 2_000;

type Finding = Omit<Check, 'name'>;

/** Looks at everything that the service needs, one thing after the other; never rejects because one of them is away. */
export async function* checkDependencies(context: Context): AsyncGenerator<Check> {
  const closing = createShutdownStack(context.log);
  try {
    yield await check('engine', 'repair DOCKER_HOST', () => checkEngine(context));
    let url: string | undefined;
    const database = await check('database', 'start PostgreSQL, or set DATABASE_URL', async () => {
      url = await reachDatabase(context, closing);
      return checkDatabase(url, closing);
    });
    yield database;
    if (context.config.redisUrl !== null) {
      const redis = await check('redis', 'start Redis, or mend REDIS_URL', () => checkRedis(context, closing));
      yield redis;
      if (redis.status === 'failed') return;
    }
    const reached = url;
    if (reached === undefined || database.status === 'failed') return;
    const queue = await check('queue', 'mend the store above; a worker creates the queue at its first start', () =>
      checkQueue(context, reached, closing),
    );
    yield queue;
    if (context.config.leaseStore === 'redis') {
      yield await check('leases', 'allow SET, GET, PEXPIRE, DEL and EVAL for this user', () =>
        checkLeases(context, closing),
      );
    }
    // On tables that are still to be migrated, what is asked next would only fail.
    if (database.status === 'ok' && queue.status !== 'failed') yield* checkRetention(context, reached, closing);
    yield await check('api', 'mend RTMANAGER_INTERNAL_HTTP_ADDR', () => checkApi(context));
  } finally {
    await closing.closeAll();
  }
}

async function* checkRetention(context: Context, url: string, closing: ShutdownStack): AsyncGenerator<Check> {
  let looks: Awaited<ReturnType<typeof openRetentionChecks>> | undefined;
  yield await check('schedule', 'mend the queue above', async () => {
    looks = await openRetentionChecks(context, url, closing);
    return looks.schedule();
  });
  if (looks !== undefined) yield await check('retention', 'mend database and queue above', looks.retention);
}

async function check(name: string, advice: string, look: () => Promise<Finding>): Promise<Check> {
  try {
    return { name, ...(await look()) };
  } catch (error) {
    return { name, status: 'failed', detail: messageOf(error), ...adviceFor(error, advice) };
  }
}

/** What is refused for a setting says itself what is allowed; a refused login is no server that is away. */
function adviceFor(error: unknown, advice: string): { readonly advice?: string } {
  if (error instanceof ConfigurationError) return {};
  if (/authentication failed|WRONGPASS|NOAUTH|no pg_hba/i.test(messageOf(error))) {
    return { advice: 'check user and password in the address' };
  }
  return { advice };
}

async function checkEngine({ config, clock, signal }: Context): Promise<Finding> {
  const engine = shownEngine(config);
  const timeoutMs = Math.min(ENGINE_TIMEOUT_MS, config.dockerTimeoutMs);
  try {
    const facts = await pingEngine({ docker: dockerOf(config), clock, signal, timeoutMs });
    return ok(`${engine}: version ${facts.version}, API ${facts.apiVersion}, ${facts.os}/${facts.arch}`);
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    return { status: 'failed', detail: `${engine}: ${error.message}`, advice: 'start Docker, or set DOCKER_HOST' };
  }
}

async function checkDatabase(url: string, closing: ShutdownStack): Promise<Finding> {
  const pool = createPool(
    { connectionString: url, applicationName: 'runtime-cleanup doctor', max: 2 },
    () => undefined,
  );
  closing.add('database pool', () => pool.end());
  const { rows } = await pool.query<{ version: string; zone: string }>(
    `SELECT current_setting('server_version') AS version, current_setting('TimeZone') AS zone`,
  );
  const pending = await pendingMigrations({ connectionString: url, migrationsDir: MIGRATIONS_DIR });
  const server = `PostgreSQL ${rows[0]?.version ?? '?'}, session in ${rows[0]?.zone ?? '?'}`;
  if (pending.length === 0) return ok(`${server}, migrated`);
  const detail = `${server}, ${pending.length} migration(s) to apply: ${pending.join(', ')}`;
  return { status: 'warn', detail, advice: 'run "runtime-cleanup migrate"; a worker does it when it starts' };
}

async function checkRedis(context: Context, closing: ShutdownStack): Promise<Finding> {
  const redis = await connectRedis(context, 'commands', closing);
  const { version, maxmemoryPolicy } = await checkRedisServer(redis);
  if (maxmemoryPolicy !== undefined) return ok(`Redis ${version}, maxmemory-policy ${maxmemoryPolicy}`);
  return {
    status: 'warn',
    detail: `Redis ${version}, which does not tell its maxmemory-policy`,
    advice: 'make sure that it is noeviction; any other may drop leases and jobs',
  };
}

async function checkQueue(context: Context, url: string, closing: ShutdownStack): Promise<Finding> {
  const pool = createPool(
    { connectionString: url, applicationName: 'runtime-cleanup doctor', max: 2 },
    () => undefined,
  );
  closing.add('queue pool', () => pool.end());
  const backend = await openQueueBackend(context, { url, pool }, closing);
  const queue = createCleanupQueue({ backend, clock: context.clock, report: queueReport(context.log) });
  closing.add('queue', queue.close);
  const { waiting, delayed, active, failed } = await queue.counts();
  const detail = `on ${backend.kind}: ${waiting} waiting, ${delayed} delayed, ${active} active, ${failed} dead letters`;
  if (failed === 0) return ok(detail);
  return { status: 'warn', detail, advice: 'see what failed: "runtime-cleanup dead-letters list"' };
}

/** Takes and gives back a lease of a game that cannot exist: its id has a control character. */
async function checkLeases(context: Context, closing: ShutdownStack): Promise<Finding> {
  const store = createRedisLeaseStore({ redis: await connectRedis(context, 'commands', closing) });
  const token = newLeaseToken();
  const key = `\u0000doctor ${token}`;
  const acquired = await store.acquire(key, token, PROBE_LEASE_MS);
  const released = await store.release(key, token);
  if (acquired && released) return ok('a lease can be taken and given back');
  return {
    status: 'failed',
    detail: `a lease could not be ${acquired ? 'given back' : 'taken'}`,
    advice: 'see the log of Redis',
  };
}

const ok = (detail: string): Finding => ({ status: 'ok', detail });
