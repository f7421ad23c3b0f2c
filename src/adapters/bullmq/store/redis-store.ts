import { type ConnectionOptions, Queue, QueueEvents, Worker } from 'bullmq';
import { UnavailableError } from '../../../domain/errors.js';
import { type QueueBackend, untilAnswered, type Waiting, whenReady } from './queue-store.js';
import { createRedisFailedSet, type FailedSetClient } from './failed-set-redis.js';
import { jobOptionsFor, workerOptionsFor } from './job-options.js';
import { CLEANUP_QUEUE, PREFIX } from '../names.js';
import { repairJson } from './repair-json.js';

/** What is used here of an ioredis client; the app makes and closes it. */
interface RedisClient extends FailedSetClient {
  readonly status: string;
  readonly connect: () => Promise<unknown>;
  readonly duplicate: () => object;
  readonly hset: (key: string, fields: Record<string, string>) => Promise<unknown>;
  readonly hdel: (key: string, ...fields: string[]) => Promise<unknown>;
}

interface Options extends Waiting {
  /** Fails at once when Redis is gone: `enableOfflineQueue: false`, command time-out, few retries. */
  readonly commands: RedisClient;
  /** Waits for Redis however long it takes: `maxRetriesPerRequest: null`; BullMQ's blocking calls copy it. */
  readonly blocking: RedisClient;
  readonly prefix?: string | undefined;
}

/** Waits until Redis answers; rejects with `UnavailableError` when it does not within the deadline. */
export async function openRedisBackend({
  commands,
  blocking,
  prefix = PREFIX,
  ...waiting
}: Options): Promise<QueueBackend> {
  await untilAnswered(async () => {
    await Promise.all([answering(commands), answering(blocking)]);
  }, waiting);
  const at = (client: RedisClient): { connection: ConnectionOptions; prefix: string } => ({
    connection: client,
    prefix,
  });

  return {
    kind: 'redis',
    queue: async ({ name = CLEANUP_QUEUE, onError, telemetry }) => {
      await answering(commands);
      const options = { ...at(commands), defaultJobOptions: jobOptionsFor('redis'), ...(telemetry && { telemetry }) };
      return whenReady(new Queue<unknown, unknown>(name, options).on('error', onError));
    },
    worker: async (processor, settings, { name = CLEANUP_QUEUE, onError, telemetry }) => {
      await answering(blocking);
      const options = { ...at(blocking), ...workerOptionsFor(settings), ...(telemetry && { telemetry }) };
      return whenReady(new Worker<unknown, unknown>(name, processor, options).on('error', onError));
    },
    events: async ({ name = CLEANUP_QUEUE, onError }) => {
      await answering(blocking);
      return whenReady(new QueueEvents(name, { ...at(blocking), autorun: false }).on('error', onError));
    },
    failedSet: createRedisFailedSet(commands, `${prefix}:${CLEANUP_QUEUE}`),
    // Each of BullMQ's steps is one script, and Redis runs one at a time.
    exclusively: (_key, work) => work(),
    mend: async (jobId, queue = CLEANUP_QUEUE) => {
      const key = `${prefix}:${queue}:${jobId}`;
      const [data = null, opts = null, progress = null, parent = null] = await commands.hmget(
        key,
        'data',
        'opts',
        'progress',
        'parent',
      );
      const mended = repairJson({ data, opts, progress, parent });
      if (mended === undefined) return false;
      if (Object.keys(mended.set).length > 0) await commands.hset(key, mended.set);
      if (mended.remove.length > 0) await commands.hdel(key, ...mended.remove);
      return true;
    },
  };
}

/** BullMQ asks a new client for its version at once, and an object whose question fails is dead. */
async function answering(client: RedisClient): Promise<void> {
  if (client.status === 'wait') await client.connect();
  if (client.status !== 'ready')
    throw new UnavailableError('queue', `Redis does not answer (connection is ${client.status})`);
}
