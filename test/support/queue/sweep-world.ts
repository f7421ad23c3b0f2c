import { RETENTION_QUEUE } from '../../../src/adapters/bullmq/names.js';
import type { JobQueue } from '../../../src/adapters/bullmq/store/queue-store.js';
import type { SweepReport } from '../../../src/retention/ports.js';
import type { QueueSpace, TestStore } from './queue-stores.js';

const AT = '2026-01-01T00:00:00.000Z';

/** A sweep that found nothing to do. */
export const NOTHING_DUE: SweepReport = {
  status: 'done',
  asOf: AT,
  finishedAt: AT,
  stopped: 0,
  planned: 0,
  kept: { held: 0, dead_letter: 0, invalid_id: 0 },
  enqueued: 0,
  coalesced: 0,
  failed: 0,
};

export const openRetentionQueue = ({ backend }: QueueSpace): Promise<JobQueue> =>
  backend.queue({ name: RETENTION_QUEUE, onError: () => undefined });

/** What is used here of the client that BullMQ keeps. */
interface RedisCommands {
  readonly del: (key: string) => Promise<unknown>;
  readonly zrem: (key: string, member: string) => Promise<unknown>;
  readonly hset: (key: string, fields: Record<string, string>) => Promise<unknown>;
}

const redisOf = async (queue: JobQueue): Promise<RedisCommands> =>
  (await queue.getBackend().client) as unknown as RedisCommands;

const schemaOf = (space: QueueSpace): string => space.env['QUEUE_SPACE'] ?? '';

/** Takes a delayed job away behind BullMQ's back. */
export const loseJob = async (store: TestStore, space: QueueSpace, queue: JobQueue, jobId: string): Promise<void> => {
  if (store.kind === 'postgres') {
    await store.sql(`DELETE FROM ${schemaOf(space)}.job WHERE id = $1`, [jobId]);
    return;
  }
  const redis = await redisOf(queue);
  await redis.del(`${queue.qualifiedName}:${jobId}`);
  await redis.zrem(`${queue.qualifiedName}:delayed`, jobId);
};

/** As if another worker had taken the job. */
export const takeLock = async (store: TestStore, space: QueueSpace, queue: JobQueue, jobId: string): Promise<void> => {
  if (store.kind === 'postgres') {
    const text = `UPDATE ${schemaOf(space)}.job SET lock_token = 'thief', locked_until_ms = 1 WHERE id = $1`;
    await store.sql(text, [jobId]);
    return;
  }
  await (await redisOf(queue)).del(`${queue.qualifiedName}:${jobId}:lock`);
};

/** Redis only: PostgreSQL's columns refuse what is no JSON. */
export const spoilJob = async (queue: JobQueue, jobId: string, fields: Record<string, string>): Promise<void> => {
  await (await redisOf(queue)).hset(`${queue.qualifiedName}:${jobId}`, fields);
};
