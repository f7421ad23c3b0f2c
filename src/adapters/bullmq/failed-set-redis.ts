import type { FailedJob, FailedPosition, FailedSet } from './failed-set.js';

/** What is used here of an ioredis client. */
export interface FailedSetClient {
  readonly zrevrangebyscore: (
    key: string,
    max: string,
    min: string,
    limit: 'LIMIT',
    offset: number,
    count: number,
  ) => Promise<string[]>;
  readonly zscore: (key: string, member: string) => Promise<string | null>;
  readonly hmget: (key: string, ...fields: string[]) => Promise<(string | null)[]>;
  readonly eval: (script: string, keys: number, ...args: string[]) => Promise<unknown>;
}

const FIELDS = ['name', 'data', 'progress', 'failedReason', 'finishedOn', 'timestamp'] as const;

/** Taking the job out of the set decides who has it: a retry that comes later finds it there no more. */
const REMOVE = `
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
local key = redis.call('HGET', KEYS[2], 'deid')
if key and redis.call('GET', ARGV[2] .. key) == ARGV[1] then redis.call('DEL', ARGV[2] .. key) end
redis.call('DEL', KEYS[2], KEYS[2] .. ':logs', KEYS[2] .. ':dependencies', KEYS[2] .. ':processed', KEYS[2] .. ':failed', KEYS[2] .. ':unsuccessful')
return 1`;

/** A job that has ended meanwhile would keep the key for ever. */
const RETAKE = `
local key = redis.call('HGET', KEYS[1], 'deid')
if not key or redis.call('HEXISTS', KEYS[1], 'finishedOn') == 1 then return 0 end
return redis.call('SET', ARGV[2] .. key, ARGV[1], 'NX') and 1 or 0`;

/** @param queueKey prefix and name of the queue, as BullMQ joins them */
export function createRedisFailedSet(redis: FailedSetClient, queueKey: string): FailedSet {
  const failed = `${queueKey}:failed`;
  const jobKey = (jobId: string): string => `${queueKey}:${jobId}`;
  const dedupPrefix = `${queueKey}:de:`;

  async function read(jobId: string): Promise<FailedJob | undefined> {
    const [name = null, data = null, progress = null, reason = null, finishedOn = null, timestamp = null] =
      await redis.hmget(jobKey(jobId), ...FIELDS);
    // Retried or removed since the set was read.
    if (finishedOn === null) return undefined;
    return {
      jobId,
      failedAtMs: Number(finishedOn),
      jobName: name ?? '',
      data: parsed(data),
      progress: parsed(progress),
      reason: reason ?? '',
      addedAtMs: Number(timestamp),
    };
  }

  async function idsBehind(after: FailedPosition | null, limit: number): Promise<readonly string[]> {
    const max = after === null ? '+inf' : String(after.failedAtMs);
    for (let offset = 0; ; offset += limit) {
      const ids = await redis.zrevrangebyscore(failed, max, '-inf', 'LIMIT', offset, limit);
      // Of those that failed in the very millisecond of the position, the ones up to it have been seen.
      const fresh = after === null ? ids : await withoutSeen(ids, after);
      if (fresh.length > 0 || ids.length < limit) return fresh;
    }
  }

  async function withoutSeen(ids: readonly string[], after: FailedPosition): Promise<readonly string[]> {
    const scores = await Promise.all(ids.map((id) => redis.zscore(failed, id)));
    return ids.filter((id, index) => Number(scores[index]) < after.failedAtMs || isBehind(id, after.jobId));
  }

  return {
    page: async (after, limit) => {
      const ids = await idsBehind(after, limit);
      const jobs = await Promise.all(ids.map(read));
      return jobs.filter((job) => job !== undefined);
    },
    find: async (jobId) => ((await redis.zscore(failed, jobId)) === null ? undefined : read(jobId)),
    remove: async (jobId) => (await redis.eval(REMOVE, 2, failed, jobKey(jobId), jobId, dedupPrefix)) === 1,
    retakeKey: async (jobId) => {
      await redis.eval(RETAKE, 1, jobKey(jobId), jobId, dedupPrefix);
    },
  };
}

/** Redis orders members of one score by their bytes. */
const isBehind = (id: string, seen: string): boolean => Buffer.compare(Buffer.from(id), Buffer.from(seen)) < 0;

function parsed(json: string | null): unknown {
  if (json === null) return undefined;
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
