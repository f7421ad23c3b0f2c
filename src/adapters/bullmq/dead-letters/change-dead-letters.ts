import type { Clock } from '../../../async/clock.js';
import { rateLimitedBatches } from '../../../async/rate-limited.js';
import { createSingleFlight } from '../../../async/single-flight.js';
import type {
  BulkOptions,
  BulkTally,
  DeadLetterFilter,
  DeadLetterPurger,
  DeadLetterReplayer,
  PurgeAnswer,
  ReplayAnswer,
} from '../../../jobs/dead-letters.js';
import type { FailedSet } from '../store/failed-set.js';
import { jobStateOf } from '../store/job-state.js';
import type { LazyQueue } from '../store/lazy-queue.js';
import type { JobQueue } from '../store/queue-store.js';
import { isJobId } from '../store/stored-text.js';
import { type FailedPages, PAGE_LIMIT_MS } from './failed-pages.js';
import { matches } from './to-dead-letter.js';

const ANSWER_LIMIT_MS = 1_000;

interface Deps {
  readonly failedSet: Pick<FailedSet, 'putBack' | 'remove'>;
  readonly ask: LazyQueue['ask'];
  readonly pages: FailedPages;
  readonly clock: Clock;
}

export function createDeadLetterReplayer(deps: Deps): DeadLetterReplayer {
  const { failedSet, ask } = deps;
  const singleFlight = createSingleFlight<ReplayAnswer>();

  async function replay(jobId: string): Promise<ReplayAnswer> {
    if (!isJobId(jobId)) return { status: 'missing' };
    return ask(ANSWER_LIMIT_MS, (queue) => {
      const notFailed = (): Promise<ReplayAnswer> => answerOfNotFailed(queue, jobId);
      const putBack = async (): Promise<ReplayAnswer> => {
        const [done] = await failedSet.putBack(queue, [jobId]);
        return done === undefined ? notFailed() : { status: 'replayed' };
      };
      return singleFlight(jobId, putBack, notFailed);
    });
  }

  return {
    replay,
    replayAll: (filter, options) => changeAll(deps, { filter, options, change: failedSet.putBack }),
  };
}

export function createDeadLetterPurger(deps: Deps): DeadLetterPurger {
  const { failedSet, ask } = deps;

  async function purge(jobId: string): Promise<PurgeAnswer> {
    if (!isJobId(jobId)) return { status: 'missing' };
    return ask(ANSWER_LIMIT_MS, async (queue) => {
      const [done] = await failedSet.remove([jobId]);
      return done === undefined ? answerOfNotFailed(queue, jobId) : { status: 'purged' };
    });
  }

  const remove: Change = (_queue, jobIds) => failedSet.remove(jobIds);
  return {
    purge,
    purgeAll: (filter, options) => changeAll(deps, { filter, options, change: remove }),
  };
}

type NotFailedAnswer = Extract<ReplayAnswer, { readonly status: 'live' | 'missing' }>;

async function answerOfNotFailed(queue: JobQueue, jobId: string): Promise<NotFailedAnswer> {
  const state = jobStateOf(await queue.getJobState(jobId));
  return state === 'unknown' ? { status: 'missing' } : { status: 'live', state };
}

/** Resolves to the ids of those that were failed jobs and have been changed. */
type Change = (queue: JobQueue, jobIds: readonly string[]) => Promise<readonly string[]>;

interface BulkChange {
  readonly filter: DeadLetterFilter;
  readonly options: BulkOptions;
  readonly change: Change;
}

/**
 * Changes the jobs that had failed when it began. A job that fails again meanwhile is newer, or was met here before: the
 * clock of the worker that failed it may be behind.
 */
async function changeAll({ ask, pages, clock }: Deps, { filter, options, change }: BulkChange): Promise<BulkTally> {
  const { perSecond, onProgress, signal } = options;
  const tally = { done: 0, skipped: 0 };
  const start = await pages.now();
  if (start === null) return tally;
  const total = await pages.count(start, filter, signal);
  onProgress?.({ done: 0, total });
  const met = new Set<string>();
  for await (const page of pages.behind(start)) {
    const chosen = page.filter((job) => matches(filter, job) && !met.has(job.jobId));
    for (const { jobId } of chosen) met.add(jobId);
    await rateLimitedBatches(chosen, { clock, perSecond, signal }, async (batch) => {
      const ids = batch.map(({ jobId }) => jobId);
      const done = await ask(PAGE_LIMIT_MS, (queue) => change(queue, ids));
      tally.done += done.length;
      tally.skipped += ids.length - done.length;
      onProgress?.({ done: tally.done + tally.skipped, total });
    });
  }
  return tally;
}
