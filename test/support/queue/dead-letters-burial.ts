import { Worker, UnrecoverableError, createPostgresBackend } from 'bullmq';
import { Redis } from 'ioredis';
import type { QueueSpace, TestStore } from './queue-stores.js';

/** A failed job as any client may leave one behind. */
export interface Burial {
  readonly data: unknown;
  readonly jobId?: string;
  readonly reason?: string;
  readonly progress?: object;
  /** Where it is not given, when it was really failed. */
  readonly failedAtMs?: number;
}

/** Makes each a failed job of the queue, in the order given; resolves to their ids. */
export async function buryAll(store: TestStore, space: QueueSpace, burials: readonly Burial[]): Promise<string[]> {
  const { plain } = space;
  const token = 'a test';
  const { REDIS_URL, DATABASE_URL, QUEUE_SPACE = '' } = space.env;
  const idle = { autorun: false, prefix: QUEUE_SPACE };
  const worker =
    REDIS_URL === undefined
      ? new Worker(
          plain.name,
          null,
          { ...idle, connection: { connectionString: DATABASE_URL, schema: QUEUE_SPACE } },
          createPostgresBackend as never,
        )
      : new Worker(plain.name, null, { ...idle, connection: { url: REDIS_URL, maxRetriesPerRequest: null } });
  const ids: string[] = [];
  try {
    for (const { data, jobId, reason = 'not_found: no record', progress, failedAtMs } of burials) {
      await plain.add('cleanup_container', data, jobId === undefined ? {} : { jobId });
      const job = await worker.getNextJob(token);
      if (job?.id === undefined) throw new Error('the job that was just added is not there');
      if (progress !== undefined) await job.updateProgress(progress);
      await job.moveToFailed(new UnrecoverableError(reason), token, false);
      if (failedAtMs !== undefined) await backdate(store, space, job.id, failedAtMs);
      ids.push(job.id);
    }
  } finally {
    await worker.close();
  }
  return ids;
}

async function backdate({ sql }: TestStore, space: QueueSpace, id: string, failedAtMs: number): Promise<void> {
  const { plain, env } = space;
  if (env['REDIS_URL'] === undefined) {
    const text = `UPDATE ${env['QUEUE_SPACE']}.job SET finished_at_ms = $1 WHERE queue = $2 AND id = $3`;
    await sql(text, [failedAtMs, plain.name, id]);
    return;
  }
  await onRedis(space, (redis) => redis.zadd(`${plain.qualifiedName}:failed`, failedAtMs, id));
}

/** Runs commands on the space's Redis that no client of BullMQ would send. */
export async function onRedis<T>({ env }: QueueSpace, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(env['REDIS_URL'] ?? '');
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
