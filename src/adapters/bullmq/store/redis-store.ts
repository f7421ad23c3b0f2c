import type { ConnectionOptions } from 'bullmq';
import { bullmq } from '../library.js';
import type { Clock } from '../../../async/clock.js';
import { messageOf, UnavailableError } from '../../../domain/errors.js';
import { type JobEvents, type QueueStore, untilAnswered, type Waiting, whenReady } from './queue-store.js';
import { createRedisFailedSet, type FailedSetClient } from './failed-set-redis.js';
import { jobOptionsFor, workerOptionsFor } from './job-options.js';
import { CLEANUP_QUEUE, PREFIX } from '../names.js';
import { explainFailures } from '../../redis-trouble.js';
import { repairJson } from './stored-text.js';

/** The part of an ioredis client that this file uses; the app creates and closes it. */
interface RedisClient extends FailedSetClient {
  readonly status: string;
  readonly info: () => Promise<string>;
  readonly connect: () => Promise<unknown>;
  readonly on: (event: 'error' | 'node error' | 'ready', listener: (error: Error) => void) => unknown;
  readonly off: (event: 'error' | 'node error', listener: (error: Error) => void) => unknown;
  readonly duplicate: () => object;
  readonly set: (key: string, value: string, ...options: ['PX', number, 'NX']) => Promise<unknown>;
  readonly hset: (key: string, fields: Record<string, string>) => Promise<unknown>;
  readonly hdel: (key: string, ...fields: string[]) => Promise<unknown>;
}

interface Options extends Waiting {
  /** Fails at once when Redis is unavailable: `enableOfflineQueue: false`, command time-out, few retries. */
  readonly commands: RedisClient;
  /** Waits for Redis without a limit: `maxRetriesPerRequest: null`; BullMQ duplicates it for its blocking calls. */
  readonly blocking: RedisClient;
  readonly prefix?: string | undefined;
}

/** The key of no job, because BullMQ refuses colons in job ids. It exists for a millisecond. */
const WRITE_CHECK = 'write:check';
const RECONNECT_MS = 1_000;

/** Waits until Redis answers; rejects with `UnavailableError` when it does not within the deadline. */
export async function openRedisStore({
  commands,
  blocking,
  prefix = PREFIX,
  ...waiting
}: Options): Promise<QueueStore> {
  const skipVersionCheck = await untilAnswered(async () => {
    await Promise.all([answering(commands), answering(blocking)]);
    return !(await mayAskInfo(commands));
  }, waiting);
  const why = explainFailures(commands);
  const { Queue, QueueEvents, Worker } = bullmq();
  const at = (client: RedisClient): { connection: ConnectionOptions; prefix: string; skipVersionCheck: boolean } => ({
    connection: client,
    prefix,
    skipVersionCheck,
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
      const opened = await whenReady(new QueueEvents(name, { ...at(blocking), autorun: false }).on('error', onError));
      await keepConnected(opened, waiting.clock);
      return opened;
    },
    failedSet: createRedisFailedSet(commands, `${prefix}:${CLEANUP_QUEUE}`),
    checkWritable: async () => {
      try {
        await commands.set(`${prefix}:${CLEANUP_QUEUE}:${WRITE_CHECK}`, '', 'PX', 1, 'NX');
      } catch (error) {
        throw new UnavailableError('queue', `Redis cannot be written to: ${why(error)}`, { cause: error });
      }
    },
    // Needs no lock: BullMQ changes a schedule in one script, and Redis runs one script at a time.
    withScheduleLock: (work) => work(),
    repairJob: (jobId, queue = CLEANUP_QUEUE) => repairJob(commands, `${prefix}:${queue}:${jobId}`),
  };
}

async function repairJob(commands: RedisClient, key: string): Promise<boolean> {
  const names = ['data', 'opts', 'progress', 'parent'];
  const [data = null, opts = null, progress = null, parent = null] = await commands.hmget(key, ...names);
  const repair = repairJson({ data, opts, progress, parent });
  if (repair === undefined) return false;
  if (Object.keys(repair.set).length > 0) await commands.hset(key, repair.set);
  if (repair.remove.length > 0) await commands.hdel(key, ...repair.remove);
  return true;
}

/**
 * Connects the client of a queue's events again whenever it has ended. BullMQ closes a connection that stays silent for too
 * long and opens it again; where that fails, it asks the ended client without end. For a worker's client it tries again.
 */
async function keepConnected(events: JobEvents, clock: Clock): Promise<void> {
  const client = await events.getBackend().client;
  const connectLater = (): void => {
    clock.after(RECONNECT_MS, () => {
      // A cluster's client that has ended may say "close", because it says so once for each of its nodes.
      const hasEnded = client.status === 'end' || client.status === 'close';
      if (events.closing === undefined && hasEnded) client.connect().catch(connectLater);
    });
  };
  client.on('end', connectLater);
}

/** BullMQ asks a new client for its version at once, and an object whose first request fails never works. */
async function answering(client: RedisClient): Promise<void> {
  if (client.status === 'wait') await client.connect();
  if (client.status !== 'ready')
    throw new UnavailableError('queue', `Redis does not answer (connection is ${client.status})`);
}

/** Without the right to INFO, BullMQ must not ask for the version: it then takes an old one for granted. */
async function mayAskInfo(client: RedisClient): Promise<boolean> {
  try {
    await client.info();
    return true;
  } catch (error) {
    if (messageOf(error).startsWith('NOPERM')) return false;
    throw new UnavailableError('queue', `Redis does not answer: ${messageOf(error)}`, { cause: error });
  }
}
