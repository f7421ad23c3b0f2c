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

/** As many as workers can have at a time, and far more. */
const PAGE = 500;

interface Unlocked {
  readonly active: number;
  readonly jobs: readonly UnlockedJob[];
}

/** Redis lets a lock run out by itself, so an active job without one has none, for however long. */
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
  // When its worker took it, and how often one did.
  const claim = JSON.stringify(await redis.hmget(job, 'processedOn', 'ats'));
  return { queue, jobId, claim, gameId: textIn(parseJson(await dataOf(redis, job)), 'gameId') };
}

async function dataOf(redis: ActiveClient, job: string): Promise<string> {
  if ((await redis.hstrlen(job, 'data')) > PAGE_DATA_MAX_BYTES) return '';
  return (await redis.hget(job, 'data')) ?? '';
}
