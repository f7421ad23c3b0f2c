import { Worker, UnrecoverableError, createPostgresBackend } from 'bullmq';
import { Redis } from 'ioredis';
import type { JobQueue } from '../../../src/adapters/bullmq/store/queue-store.js';
import type { QueueSpace, TestStore } from './queue-stores.js';

const TOKEN = 'a test';

/** A failed job as any client may leave one behind. */
export interface FailedJobSeed {
  readonly data: unknown;
  readonly jobId?: string;
  readonly reason?: string;
  readonly progress?: object;
  /** Where it is not given, when it was really failed. */
  readonly failedAtMs?: number;
}

/** Makes each a failed job of the queue, in the order given; resolves to their ids. */
export async function addFailedJobs(
  store: TestStore,
  space: QueueSpace,
  seeds: readonly FailedJobSeed[],
): Promise<string[]> {
  const { plain } = space;
  return withIdleWorker(space, plain.name, async (worker) => {
    const ids: string[] = [];
    for (const { data, jobId, reason = 'not_found: no record', progress, failedAtMs } of seeds) {
      await plain.add('cleanup_container', data, jobId === undefined ? {} : { jobId });
      const job = await worker.getNextJob(TOKEN);
      if (job?.id === undefined) throw new Error('the job that was just added is not there');
      if (progress !== undefined) await job.updateProgress(progress);
      await job.moveToFailed(new UnrecoverableError(reason), TOKEN, false);
      if (failedAtMs !== undefined) await backdate(store, space, job.id, failedAtMs);
      ids.push(job.id);
    }
    return ids;
  });
}

/** Adds a job to the queue of this name and ends it; an `Error` fails it for good, anything else is its return value. */
export const addEndedJob = (space: QueueSpace, queue: JobQueue, name: string, end: unknown): Promise<void> =>
  withIdleWorker(space, queue.name, async (worker) => {
    await queue.add(name, {});
    const job = await worker.getNextJob(TOKEN);
    if (end instanceof Error) await job?.moveToFailed(new UnrecoverableError(end.message), TOKEN, false);
    else await job?.moveToCompleted(end, TOKEN, false);
  });

/** A worker that takes jobs only when it is asked to. */
async function withIdleWorker<T>(space: QueueSpace, name: string, work: (worker: Worker) => Promise<T>): Promise<T> {
  const { REDIS_URL, DATABASE_URL, QUEUE_SPACE = '' } = space.env;
  const idle = { autorun: false, prefix: QUEUE_SPACE };
  const postgres = { ...idle, connection: { connectionString: DATABASE_URL, schema: QUEUE_SPACE } };
  const worker =
    REDIS_URL === undefined
      ? new Worker(name, null, postgres, createPostgresBackend as never)
      : new Worker(name, null, { ...idle, connection: { url: REDIS_URL, maxRetriesPerRequest: null } });
  try {
    return await work(worker);
  } finally {
    await worker.close();
  }
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
