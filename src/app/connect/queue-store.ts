import type { QueueStore } from '../../adapters/bullmq/store/queue-store.js';
import { openPostgresStore } from '../../adapters/bullmq/store/postgres-store.js';
import { openRedisStore } from '../../adapters/bullmq/store/redis-store.js';
import type { QueueReport } from '../../adapters/bullmq/store/queue-store.js';
import { createQueuePool, type QueuePool } from '../../adapters/postgres/queue-pool.js';
import { SCHEMA } from '../../adapters/bullmq/names.js';
import { tlsFailure } from '../../adapters/tls-failure.js';
import { pause } from '../../async/clock.js';
import { shareConnections } from '../../config/connections.js';
import { messageOf } from '../../domain/errors.js';
import type { Log } from '../../telemetry/logger.js';
import type { ShutdownStack } from '../shutdown-stack.js';
import type { Context } from '../context.js';
import type { Database } from './database.js';
import { connectRedis } from './redis.js';
import { requireRedisRights } from './redis-rights.js';

const CLOSE_LIMIT_MS = 1_000;

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
  return openPostgresStore({ connections: connectQueuePool(context, database, closing), ...waiting });
}

function connectQueuePool(
  { config, log, clock }: Context,
  { url: connectionString, pool }: Pick<Database, 'url' | 'pool'>,
  closing: ShutdownStack,
): QueuePool {
  const { queue: max, queueWork: maxForWorkers } = shareConnections(config);
  const settings = { connectionString, applicationName: 'runtime-cleanup queue', max, maxForWorkers, schema: SCHEMA };
  const queue = createQueuePool(settings, (error) =>
    log.debug({ reason: messageOf(error) }, 'idle connection of the queue lost'),
  );
  // At the server's limit the one pool may keep what the other one waits for.
  pool.onFull(queue.pool.dropIdle);
  queue.pool.onFull(pool.dropIdle);
  // It closes when every connection has come back, which one to a server that hangs never does.
  closing.add("the queue's connections", () => Promise.race([queue.close(), pause(clock, CLOSE_LIMIT_MS)]));
  return queue;
}

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
