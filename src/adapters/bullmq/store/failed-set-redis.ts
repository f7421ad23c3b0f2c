import { bullmq } from '../library.js';
import type { JobQueue } from './queue-store.js';
import {
  boundedMs,
  type FailedEntry,
  type FailedPage,
  type FailedPosition,
  type FailedSet,
  PAGE_DATA_MAX_BYTES,
  PAGE_PROGRESS_MAX_BYTES,
  PAGE_REASON_MAX_CHARACTERS,
} from './failed-set.js';
import { isJobLost } from './store-errors.js';

/** The part of an ioredis client that this file uses. */
export interface FailedSetClient {
  readonly zscore: (key: string, member: string) => Promise<string | null>;
  readonly hmget: (key: string, ...fields: string[]) => Promise<(string | null)[]>;
  readonly eval: (script: string, keys: number, ...args: string[]) => Promise<unknown>;
}

/**
 * Reads one page in one step, so that no job is put back while the page is read. A position whose job has left the set is
 * found by its score; the caller skips the jobs before the position that share this score.
 */
const PAGE = `
local failed, score, id, offset, limit = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local start = 0
if score ~= '' then
  local own = redis.call('ZSCORE', failed, id)
  if own and tonumber(own) == tonumber(score) then
    start = redis.call('ZREVRANK', failed, id) + 1
  else
    start = redis.call('ZCOUNT', failed, '(' .. score, '+inf')
  end
end
local function field(key, name, most)
  if redis.call('HSTRLEN', key, name) > tonumber(most) then return false end
  return redis.call('HGET', key, name)
end
local entries = redis.call('ZREVRANGE', failed, start + offset, start + offset + limit - 1, 'WITHSCORES')
local page = {}
for i = 1, #entries, 2 do
  local key = ARGV[5] .. entries[i]
  local row = { entries[i], entries[i + 1], false, false, '', '' }
  if redis.call('TYPE', key).ok == 'hash' then
    row[3] = field(key, 'data', ARGV[6])
    row[4] = field(key, 'progress', ARGV[7])
    row[5] = string.sub(redis.call('HGET', key, 'failedReason') or '', 1, 4 * tonumber(ARGV[8]))
    row[6] = redis.call('HGET', key, 'timestamp') or ''
  end
  page[#page + 1] = row
end
return page`;

/** The removal from the set decides which caller gets the job: a later retry does not find it there. */
const REMOVE = `
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
if redis.call('TYPE', KEYS[2]).ok ~= 'hash' then return 1 end
local key = redis.call('HGET', KEYS[2], 'deid')
if key and redis.call('GET', ARGV[2] .. key) == ARGV[1] then redis.call('DEL', ARGV[2] .. key) end
redis.call('DEL', KEYS[2], KEYS[2] .. ':logs', KEYS[2] .. ':dependencies', KEYS[2] .. ':processed', KEYS[2] .. ':failed', KEYS[2] .. ':unsuccessful')
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 10000, '*', 'event', 'removed', 'jobId', ARGV[1], 'prev', 'failed')
return 1`;

/** A job that has ended meanwhile must not get its key again, because it would keep it for ever. */
const RETAKE = `
local key = redis.call('HGET', KEYS[1], 'deid')
if not key or redis.call('HEXISTS', KEYS[1], 'finishedOn') == 1 then return 0 end
return redis.call('SET', ARGV[2] .. key, ARGV[1], 'NX') and 1 or 0`;

/** @param queueKey prefix and name of the queue, as BullMQ joins them */
export function createRedisFailedSet(redis: FailedSetClient, queueKey: string): FailedSet {
  const failed = `${queueKey}:failed`;
  const jobKey = (jobId: string): string => `${queueKey}:${jobId}`;
  const dedupPrefix = `${queueKey}:de:`;

  async function rowsFrom(offset: number, page: FailedPage): Promise<readonly FailedEntry[]> {
    const { after, limit, withProgress = false } = page;
    const from = after === null ? ['', ''] : [String(after.failedAtMs), after.jobId];
    const bounds = [PAGE_DATA_MAX_BYTES, withProgress ? PAGE_PROGRESS_MAX_BYTES : -1, PAGE_REASON_MAX_CHARACTERS];
    const where = [offset, limit].map(String);
    const rows = await redis.eval(PAGE, 1, failed, ...from, ...where, jobKey(''), ...bounds.map(String));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the script's answer
    return (rows as Row[]).map(toEntry);
  }

  async function find(jobId: string) {
    const score = await redis.zscore(failed, jobId);
    if (score === null) return undefined;
    const fields = ['name', 'data', 'progress', 'failedReason', 'timestamp'];
    const [name = null, data = null, progress = null, reason = null, timestamp = null] = await redis.hmget(
      jobKey(jobId),
      ...fields,
    );
    return { ...toEntry([jobId, score, data, progress, reason ?? '', timestamp ?? '']), jobName: name ?? '' };
  }

  async function putBack(queue: JobQueue, jobId: string): Promise<boolean> {
    try {
      const { Job } = bullmq();
      // The retry needs only the id; loading thousands of jobs would take longer than putting them back.
      await new Job(queue, '', null, {}, jobId).retry('failed', {
        resetAttemptsMade: true,
        resetAttemptsStarted: true,
      });
    } catch (error) {
      if (isJobLost(error)) return false;
      throw error;
    }
    await redis.eval(RETAKE, 1, jobKey(jobId), jobId, dedupPrefix);
    return true;
  }

  const remove = async (jobId: string): Promise<boolean> =>
    (await redis.eval(REMOVE, 3, failed, jobKey(jobId), `${queueKey}:events`, jobId, dedupPrefix)) === 1;

  return {
    page: async (page) => {
      const { after, limit } = page;
      for (let offset = 0; ; offset += limit) {
        const rows = await rowsFrom(offset, page);
        const behind = after === null ? rows : rows.filter((row) => isBehind(row, after));
        if (behind.length > 0 || rows.length < limit) return behind;
      }
    },
    find,
    putBack: ({ queue, jobIds }) => idsFor(jobIds, (jobId) => putBack(queue, jobId)),
    remove: (jobIds) => idsFor(jobIds, remove),
  };
}

type Row = readonly [
  id: string,
  score: string,
  data: string | null,
  progress: string | null,
  reason: string,
  timestamp: string,
];

const toEntry = ([jobId, score, data, progress, reason, timestamp]: Row): FailedEntry => ({
  jobId,
  failedAtMs: boundedMs(score.replace('inf', 'Infinity')),
  data: parsed(data),
  progress: parsed(progress),
  reason,
  addedAtMs: boundedMs(timestamp),
});

/** Redis orders members with equal scores by their bytes. */
function isBehind(row: FailedPosition, { failedAtMs, jobId }: FailedPosition): boolean {
  if (row.failedAtMs !== failedAtMs) return row.failedAtMs < failedAtMs;
  return Buffer.compare(Buffer.from(row.jobId), Buffer.from(jobId)) < 0;
}

/** The ids for which `change` resolves to true. All run at once: the client sends them in one batch. */
async function idsFor(
  jobIds: readonly string[],
  change: (jobId: string) => Promise<boolean>,
): Promise<readonly string[]> {
  const answers = await Promise.all(jobIds.map(change));
  return jobIds.filter((_id, index) => answers[index]);
}

function parsed(json: string | null): unknown {
  if (json === null) return undefined;
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}
