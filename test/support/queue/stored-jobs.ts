/** Changes to a stored job that no client of BullMQ can make, for tests of what the workers do about them. */
import type { JobQueue } from '../../../src/adapters/bullmq/store/queue-store.js';
import type { QueueSpace, TestStore } from './queue-stores.js';

/** The part of BullMQ's Redis client that this file uses. */
interface RedisCommands {
  readonly del: (key: string) => Promise<unknown>;
  readonly zrem: (key: string, member: string) => Promise<unknown>;
  readonly hset: (key: string, fields: Record<string, string>) => Promise<unknown>;
}

const redisOf = async (queue: JobQueue): Promise<RedisCommands> =>
  (await queue.getBackend().client) as unknown as RedisCommands;

const schemaOf = (space: QueueSpace): string => space.env['QUEUE_SPACE'] ?? '';

/** Removes a delayed job without BullMQ. */
export const loseJob = async (store: TestStore, space: QueueSpace, queue: JobQueue, jobId: string): Promise<void> => {
  if (store.kind === 'postgres') {
    await store.sql(`DELETE FROM ${schemaOf(space)}.job WHERE id = $1`, [jobId]);
    return;
  }
  const redis = await redisOf(queue);
  await redis.del(`${queue.qualifiedName}:${jobId}`);
  await redis.zrem(`${queue.qualifiedName}:delayed`, jobId);
};

/** As if the worker had been suspended past the end of its lock while another one took the job. */
export const takeLock = async (store: TestStore, space: QueueSpace, queue: JobQueue, jobId: string): Promise<void> => {
  if (store.kind === 'postgres') {
    const text = `UPDATE ${schemaOf(space)}.job SET lock_token = 'thief', locked_until_ms = 1 WHERE id = $1`;
    await store.sql(text, [jobId]);
    return;
  }
  await (await redisOf(queue)).del(`${queue.qualifiedName}:${jobId}:lock`);
};

/** Redis only: PostgreSQL's columns refuse invalid JSON. */
export const spoilJob = async (queue: JobQueue, jobId: string, fields: Record<string, string>): Promise<void> => {
  await (await redisOf(queue)).hset(`${queue.qualifiedName}:${jobId}`, fields);
};
