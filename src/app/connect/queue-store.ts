import type { QueueStore } from '../../adapters/bullmq/store/queue-store.js';
import { openPostgresStore } from '../../adapters/bullmq/store/postgres-store.js';
import { openRedisStore } from '../../adapters/bullmq/store/redis-store.js';
import type { QueueReport } from '../../adapters/bullmq/store/queue-store.js';
import { createQueuePool, type QueuePool } from '../../adapters/postgres/queue-pool.js';
import { checkDatabaseServer } from '../../adapters/postgres/session/database-check.js';
import { canListen } from '../../adapters/postgres/session/listening.js';
import { SCHEMA } from '../../adapters/bullmq/names.js';
import { tlsFailure } from '../../adapters/tls-failure.js';
import { shareConnections } from '../../config/connections.js';
import { ConfigurationError, messageOf } from '../../domain/errors.js';
import type { Log } from '../../telemetry/logger.js';
import type { ShutdownStack } from '../shutdown-stack.js';
import type { Context } from '../context.js';
import type { Database } from './database.js';
import { waitForDependency } from '../wait-for-dependency.js';
import { connectRedis } from './redis.js';
import { requireRedisRights } from './redis-rights.js';

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
    await requireRedisRights(context, commands, 'queue');
    const blocking = await connectRedis(context, 'blocking', closing);
    return openRedisStore({ commands, blocking, ...waiting });
  }
  return openPostgresStore({ connections: await connectQueuePool(context, database, closing), ...waiting });
}

/** To where the queue's tables are: with the records, unless the queue has an address of its own. */
async function connectQueuePool(
  context: Context,
  { url, pool }: Pick<Database, 'url' | 'pool'>,
  closing: ShutdownStack,
): Promise<QueuePool> {
  const { config, log, clock } = context;
  const connectionString = config.queueDatabaseUrl ?? url;
  await waitForDependency(context, "the queue's database", async () => {
    const { isPooled } = await checkDatabaseServer(connectionString);
    if (isPooled && !(await canListen(connectionString, clock))) throw new ConfigurationError(cannotListen(config));
  });
  const { queue: max, queueWork: maxForWorkers } = shareConnections(config);
  const settings = { connectionString, applicationName: 'runtime-cleanup queue', max, maxForWorkers, schema: SCHEMA };
  const queue = createQueuePool(settings, (error) =>
    log.debug({ reason: messageOf(error) }, 'idle connection of the queue lost'),
  );
  // At the server's limit the one pool may keep what the other one waits for.
  pool.onFull(queue.pool.dropIdle);
  queue.pool.onFull(pool.dropIdle);
  closing.add("the queue's connections", queue.close);
  return queue;
}

const cannotListen = ({ queueDatabaseUrl }: Context['config']): string =>
  (queueDatabaseUrl === null
    ? 'DATABASE_URL leads to a connection pooler that passes on no notifications (LISTEN), which a queue on PostgreSQL needs'
    : 'RTMANAGER_QUEUE_DATABASE_URL leads to a connection pooler that passes on no notifications (LISTEN)') +
  '; set RTMANAGER_QUEUE_DATABASE_URL to the address of the same database without the pooler';

/** The queue's reports as log lines: one for the start of an outage, one for its end. */
export function queueReport(log: Log): QueueReport {
  return {
    unavailable: (cause) =>
      log.warn({ reason: tlsFailure(cause)?.reason ?? messageOf(cause) }, 'queue store unavailable'),
    recovered: (outageMs) => log.info({ outage_ms: outageMs }, 'queue store answers again'),
    fault: (what, cause) => log.error({ what, err: cause }, 'queue fault'),
    lockLost: (jobId) => log.warn({ job_id: jobId }, 'job lock lost'),
    repaired: (jobId, how) => log.warn({ job_id: jobId, how }, 'job repaired'),
  };
}
