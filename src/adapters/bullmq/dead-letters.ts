import type { Clock } from '../../clock.js';
import type { FailureCode } from '../../domain/error-codes.js';
import { messageOf, UnavailableError } from '../../domain/errors.js';
import { InvalidPageError } from '../../domain/pages.js';
import type {
  BulkOptions,
  BulkTally,
  DeadLetterFilter,
  DeadLetterQuery,
  DeadLetters,
  PurgeAnswer,
  ReplayAnswer,
} from '../../jobs/dead-letters.js';
import type { DeadLetterGames, DeadLetterOf } from '../../retention/ports.js';
import type { JobQueue, QueueBackend } from './backend.js';
import { inPacedGroups } from './bulk.js';
import { deadLetterOf, matches, reasonOf, storyOf, textIn } from './dead-letter-of.js';
import { cursorOf, positionOf } from './failed-cursor.js';
import type { FailedJob, FailedPosition } from './failed-set.js';
import { jobStateOf } from './job-state.js';
import { createLazyQueue } from './lazy-queue.js';
import type { QueueReport } from './report.js';
import { isPassing } from './store-errors.js';
import { isJobId } from './stored-text.js';
import { within } from './time.js';

const ANSWER_LIMIT_MS = 1_000;
/** For one page of many. */
const PAGE_LIMIT_MS = 5_000;
const PAGE = 500;

interface Deps {
  readonly backend: Pick<QueueBackend, 'queue' | 'failedSet'>;
  readonly clock: Clock;
  readonly report: QueueReport;
}

type Ended =
  | { readonly status: 'live'; readonly state: ReturnType<typeof jobStateOf> }
  | { readonly status: 'missing' };

export function createDeadLetters(deps: Deps): DeadLetters & DeadLetterGames {
  const { backend, clock } = deps;
  const { ask, close } = createLazyQueue({ ...deps, what: 'the dead letters' });

  /** What is asked of the set itself, with the errors of the queue. */
  async function look<T>(limitMs: number, asked: () => Promise<T>): Promise<T> {
    try {
      return await within(clock, limitMs, asked());
    } catch (cause) {
      if (cause instanceof UnavailableError || !isPassing(cause)) throw cause;
      throw new UnavailableError('queue', `the queue's store cannot answer: ${messageOf(cause)}`, { cause });
    }
  }

  /** All failed jobs behind a position, newest first, a page at a time. */
  async function* pages(from: FailedPosition | null, size = PAGE): AsyncGenerator<readonly FailedJob[]> {
    for (let after = from; ;) {
      const position = after;
      const page = await look(PAGE_LIMIT_MS, () => backend.failedSet.page(position, size));
      if (page.length > 0) yield page;
      const last = page.at(-1);
      // Some of a page may have been replayed while it was read, so a short one need not be the last.
      if (last === undefined) return;
      after = last;
    }
  }

  async function list(query: DeadLetterQuery) {
    if (!Number.isInteger(query.limit) || query.limit < 1) {
      throw new InvalidPageError(`the limit is ${query.limit}; it must be a whole number of at least 1`);
    }
    const found: FailedJob[] = [];
    for await (const page of pages(positionOf(query.after), Math.min(PAGE, query.limit + 1))) {
      found.push(...page.filter((job) => matches(query, job)));
      if (found.length > query.limit) break;
    }
    const items = found.slice(0, query.limit);
    const last = items.at(-1);
    return {
      items: items.map(deadLetterOf),
      next: found.length > query.limit && last !== undefined ? cursorOf(last) : null,
    };
  }

  async function countByCode(): Promise<Readonly<Partial<Record<FailureCode, number>>>> {
    const counts: Partial<Record<FailureCode, number>> = {};
    for await (const page of pages(null)) {
      for (const { reason } of page) {
        const { code } = reasonOf(reason);
        counts[code] = (counts[code] ?? 0) + 1;
      }
    }
    return counts;
  }

  async function among(gameIds: readonly string[] | 'all'): Promise<ReadonlyMap<string, DeadLetterOf>> {
    const wanted = gameIds === 'all' ? undefined : new Set(gameIds.map((id) => id.trim()));
    const games = new Map<string, DeadLetterOf>();
    if (wanted?.size === 0) return games;
    for await (const page of pages(null)) {
      for (const { data, jobId, reason } of page) {
        const gameId = textIn(data, 'gameId').trim();
        if (games.has(gameId) || wanted?.has(gameId) === false) continue;
        games.set(gameId, { jobId, code: reasonOf(reason).code });
      }
    }
    return games;
  }

  async function replay(jobId: string): Promise<ReplayAnswer> {
    if (!isJobId(jobId)) return { status: 'missing' };
    return ask(PAGE_LIMIT_MS, async (queue) => {
      const [done] = await backend.failedSet.putBack(queue, [jobId]);
      return done === undefined ? endedAs(queue, jobId) : { status: 'replayed' };
    });
  }

  async function purge(jobId: string): Promise<PurgeAnswer> {
    if (!isJobId(jobId)) return { status: 'missing' };
    return ask(PAGE_LIMIT_MS, async (queue) => {
      const [done] = await backend.failedSet.remove([jobId]);
      return done === undefined ? endedAs(queue, jobId) : { status: 'purged' };
    });
  }

  async function endedAs(queue: JobQueue, jobId: string): Promise<Ended> {
    const state = jobStateOf(await queue.getJobState(jobId));
    return state === 'unknown' ? { status: 'missing' } : { status: 'live', state };
  }

  /** Those that had failed when it began: what fails again meanwhile is newer. */
  async function bulk(
    filter: DeadLetterFilter,
    { perSecond, onProgress, signal }: BulkOptions,
    work: (queue: JobQueue, jobIds: readonly string[]) => Promise<readonly string[]>,
  ): Promise<BulkTally> {
    const [newest] = await look(PAGE_LIMIT_MS, () => backend.failedSet.page(null, 1));
    const tally = { done: 0, skipped: 0 };
    if (newest === undefined) return tally;
    const start = { failedAtMs: newest.failedAtMs + 1, jobId: '' };
    let total = 0;
    for await (const page of pages(start)) total += page.filter((job) => matches(filter, job)).length;
    onProgress?.({ done: 0, total });
    for await (const page of pages(start)) {
      const chosen = page.filter((job) => matches(filter, job));
      await inPacedGroups(chosen, { clock, perSecond, signal }, async (group) => {
        const ids = group.map(({ jobId }) => jobId);
        const done = await ask(PAGE_LIMIT_MS, (queue) => work(queue, ids));
        tally.done += done.length;
        tally.skipped += ids.length - done.length;
        onProgress?.({ done: tally.done + tally.skipped, total });
      });
    }
    return tally;
  }

  return {
    list,
    countByCode,
    among,
    replay,
    purge,
    find: async (jobId) => {
      if (!isJobId(jobId)) return undefined;
      const job = await look(ANSWER_LIMIT_MS, () => backend.failedSet.find(jobId));
      return job === undefined ? undefined : storyOf(job);
    },
    replayAll: (filter, options) => bulk(filter, options, (queue, jobIds) => backend.failedSet.putBack(queue, jobIds)),
    purgeAll: (filter, options) => bulk(filter, options, (_queue, jobIds) => backend.failedSet.remove(jobIds)),
    close,
  };
}
