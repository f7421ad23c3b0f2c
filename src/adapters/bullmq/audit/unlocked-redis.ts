import type { UnlockedJob } from '../../../audit/audit-ports.js';
import { parseJson } from '../../../domain/json.js';
import { textIn } from '../dead-letters/to-dead-letter.js';
import { PAGE_DATA_MAX_BYTES } from '../store/failed-set.js';
import { CLEANUP_QUEUE, RETENTION_QUEUE } from '../names.js';

/** What is used here of an ioredis client. */
export interface ActiveClient {
  readonly lrange: (key: string, start: number, stop: number) => Promise<string[]>;
  readonly exists: (key: string) => Promise<number>;
  readonly hstrlen: (key: string, field: string) => Promise<number>;
  readonly hget: (key: string, field: string) => Promise<string | null>;
  readonly hmget: (key: string, ...fields: string[]) => Promise<(string | null)[]>;
}

/** Far more than workers can have at a time. */
const PAGE = 500;

interface Unlocked {
  readonly active: number;
  readonly jobs: readonly UnlockedJob[];
}

/** Redis removes a lock when its time is over, so an active job without the key has no lock. */
export async function unlockedInRedis(redis: ActiveClient, prefix: string): Promise<Unlocked> {
  const jobs: UnlockedJob[] = [];
  let active = 0;
  for (const queue of [CLEANUP_QUEUE, RETENTION_QUEUE]) {
    for (let start = 0; ; start += PAGE) {
      const ids = await redis.lrange(`${prefix}:${queue}:active`, start, start + PAGE - 1);
      active += ids.length;
      const found = await Promise.all(
        ids.map((jobId) => unlocked(redis, { queue, key: `${prefix}:${queue}:`, jobId })),
      );
      jobs.push(...found.filter((job) => job !== undefined));
      if (ids.length < PAGE) break;
    }
  }
  return { active, jobs };
}

async function unlocked(
  redis: ActiveClient,
  { queue, key, jobId }: { readonly queue: string; readonly key: string; readonly jobId: string },
): Promise<UnlockedJob | undefined> {
  const job = `${key}${jobId}`;
  if ((await redis.exists(`${job}:lock`)) === 1) return undefined;
  // When a worker took the job, and how often.
  const claim = JSON.stringify(await redis.hmget(job, 'processedOn', 'ats'));
  return { queue, jobId, claim, gameId: textIn(parseJson(await dataOf(redis, job)), 'gameId') };
}

async function dataOf(redis: ActiveClient, job: string): Promise<string> {
  if ((await redis.hstrlen(job, 'data')) > PAGE_DATA_MAX_BYTES) return '';
  return (await redis.hget(job, 'data')) ?? '';
}
