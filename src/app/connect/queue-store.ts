import type { QueueStore } from '../../adapters/bullmq/store/queue-store.js';
import { openPostgresStore } from '../../adapters/bullmq/store/postgres-store.js';
import { openRedisStore } from '../../adapters/bullmq/store/redis-store.js';
import type { QueueReport } from '../../adapters/bullmq/store/queue-store.js';
import { createPool, lending, poolOptions } from '../../adapters/postgres/pool.js';
import { checkDatabaseServer } from '../../adapters/postgres/session/database-check.js';
import { canListen, withoutStartupParameters } from '../../adapters/postgres/session/listening.js';
import { ConfigurationError, messageOf } from '../../domain/errors.js';
import type { Log } from '../../telemetry/logger.js';
import type { ShutdownStack } from '../shutdown-stack.js';
import type { Context } from '../context.js';
import type { Database } from './database.js';
import { waitForDependency } from '../wait-for-dependency.js';
import { connectRedis } from './redis.js';

const POOL_MAX = 4;

/** Connects the store that keeps the job queue, and waits until it answers. */
export async function openQueueBackend(
  context: Context,
  database: Pick<Database, 'url' | 'pool'>,
  closing: ShutdownStack,
): Promise<QueueStore> {
  const { config, log, clock, patienceMs: deadlineMs, signal } = context;
  const waiting = { clock, report: queueReport(log), deadlineMs, signal };
  if (config.queueBackend === 'redis') {
    const commands = await connectRedis(context, 'commands', closing);
    const blocking = await connectRedis(context, 'blocking', closing);
    return openRedisStore({ commands, blocking, ...waiting });
  }
  return openPostgresStore({ ...(await reachQueueDatabase(context, database, closing)), ...waiting });
}

/** Where the queue's tables are; the records' own connections serve it there, unless it has an address of its own. */
async function reachQueueDatabase(
  context: Context,
  database: Pick<Database, 'url' | 'pool'>,
  closing: ShutdownStack,
): Promise<Pick<Parameters<typeof openPostgresStore>[0], 'poolConfig' | 'withClient'>> {
  const { config, clock, log } = context;
  const connectionString = config.queueDatabaseUrl ?? database.url;
  const { isPooled } = await waitForDependency(context, "the queue's database", async () => {
    const server = await checkDatabaseServer(connectionString);
    if (server.isPooled && !(await canListen(connectionString, clock)))
      throw new ConfigurationError(cannotListen(config));
    return server;
  });
  const settings = { connectionString, applicationName: 'runtime-cleanup queue', max: POOL_MAX };
  const poolConfig = isPooled ? withoutStartupParameters(poolOptions(settings)) : poolOptions(settings);
  if (config.queueDatabaseUrl === null) return { poolConfig, withClient: lending(database.pool) };
  const pool = createPool(settings, (error) =>
    log.debug({ reason: messageOf(error) }, "the queue's idle connection lost"),
  );
  closing.add("queue's database", () => pool.end());
  return { poolConfig, withClient: lending(pool) };
}

const cannotListen = ({ queueDatabaseUrl }: Context['config']): string =>
  (queueDatabaseUrl === null
    ? 'DATABASE_URL leads to a connection pooler that passes on no notifications (LISTEN), which a queue on PostgreSQL needs'
    : 'RTMANAGER_QUEUE_DATABASE_URL leads to a connection pooler that passes on no notifications (LISTEN)') +
  '; set RTMANAGER_QUEUE_DATABASE_URL to the address of the same database without the pooler';

/** The queue's reports as log lines: one for the start of an outage, one for its end. */
export function queueReport(log: Log): QueueReport {
  return {
    unavailable: (cause) => log.warn({ reason: messageOf(cause) }, 'queue store unavailable'),
    recovered: (outageMs) => log.info({ outage_ms: outageMs }, 'queue store answers again'),
    fault: (what, cause) => log.error({ what, err: cause }, 'queue fault'),
    lockLost: (jobId) => log.warn({ job_id: jobId }, 'job lock lost'),
    repaired: (jobId, how) => log.warn({ job_id: jobId, how }, 'job repaired'),
  };
}
