import type { Clock } from '../../../async/clock.js';
import type { FailureCode } from '../../../domain/error-codes.js';
import { pageOf, requireLimit } from '../../../domain/pages.js';
import type {
  BulkOptions,
  BulkTally,
  DeadLetterFilter,
  DeadLetterQuery,
  DeadLetters,
  PurgeAnswer,
  ReplayAnswer,
} from '../../../jobs/dead-letters.js';
import { shownReason } from '../../../jobs/failure-reason.js';
import type { DeadLetterGames, DeadLetterOf } from '../../../retention/ports.js';
import type { JobQueue, QueueStore } from '../store/queue-store.js';
import { rateLimitedBatches } from '../../../async/rate-limited.js';
import { deadLetterOf, isFilter, matches, storyOf, textIn } from './to-dead-letter.js';
import { cursorOf, positionOf } from './cursor.js';
import type { FailedEntry, FailedPosition } from '../store/failed-set.js';
import { createSingleFlight } from '../../../async/single-flight.js';
import { jobStateOf } from '../store/job-state.js';
import { answered, createLazyQueue } from '../store/lazy-queue.js';
import type { QueueReport } from '../store/queue-store.js';
import { isJobId } from '../store/stored-text.js';

const ANSWER_LIMIT_MS = 1_000;
/** For one page of many. */
const PAGE_LIMIT_MS = 5_000;
const PAGE = 500;

interface Deps {
  readonly backend: Pick<QueueStore, 'queue' | 'failedSet'>;
  readonly clock: Clock;
  readonly report: QueueReport;
}

type Ended =
  | { readonly status: 'live'; readonly state: ReturnType<typeof jobStateOf> }
  | { readonly status: 'missing' };

export function createDeadLetters(deps: Deps): DeadLetters & DeadLetterGames {
  const { backend, clock } = deps;
  const { ask, close } = createLazyQueue({ ...deps, what: 'the dead letters' });
  const join = createSingleFlight<ReplayAnswer>();

  /** What is asked of the set itself. */
  const look = <T>(limitMs: number, asked: () => Promise<T>): Promise<T> => answered(clock, limitMs, asked());

  /** All failed jobs behind a position, newest first, a page at a time. */
  async function* pages(
    from: FailedPosition | null,
    { size = PAGE, withProgress = false } = {},
  ): AsyncGenerator<readonly FailedEntry[]> {
    for (let after = from; ;) {
      const position = after;
      const page = await look(PAGE_LIMIT_MS, () =>
        backend.failedSet.page({ after: position, limit: size, withProgress }),
      );
      const last = page.at(-1);
      if (last === undefined) return;
      yield page;
      after = last;
    }
  }

  async function list(query: DeadLetterQuery) {
    requireLimit(query.limit);
    const found: FailedEntry[] = [];
    // Of many, few may be looked for: then small pages would take long.
    const size = isFilter(query) ? PAGE : Math.min(PAGE, query.limit + 1);
    for await (const page of pages(positionOf(query.after), { size, withProgress: true })) {
      found.push(...page.filter((job) => matches(query, job)));
      if (found.length > query.limit) break;
    }
    const { items, next } = pageOf(found, query.limit, cursorOf);
    return { items: items.map(deadLetterOf), next };
  }

  async function countByCode(): Promise<Readonly<Partial<Record<FailureCode, number>>>> {
    const counts: Partial<Record<FailureCode, number>> = {};
    for await (const page of pages(null)) {
      for (const { reason } of page) {
        const { code } = shownReason(reason);
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
        games.set(gameId, { jobId, code: shownReason(reason).code });
      }
      if (games.size === wanted?.size) break;
    }
    return games;
  }

  async function replay(jobId: string): Promise<ReplayAnswer> {
    if (!isJobId(jobId)) return { status: 'missing' };
    return ask(ANSWER_LIMIT_MS, (queue) => {
      const ended = (): Promise<Ended> => endedAs(queue, jobId);
      const putBack = async (): Promise<ReplayAnswer> => {
        const [done] = await backend.failedSet.putBack({ queue, jobIds: [jobId] });
        return done === undefined ? ended() : { status: 'replayed' };
      };
      return join(jobId, putBack, ended);
    });
  }

  async function purge(jobId: string): Promise<PurgeAnswer> {
    if (!isJobId(jobId)) return { status: 'missing' };
    return ask(ANSWER_LIMIT_MS, async (queue) => {
      const [done] = await backend.failedSet.remove([jobId]);
      return done === undefined ? endedAs(queue, jobId) : { status: 'purged' };
    });
  }

  async function endedAs(queue: JobQueue, jobId: string): Promise<Ended> {
    const state = jobStateOf(await queue.getJobState(jobId));
    return state === 'unknown' ? { status: 'missing' } : { status: 'live', state };
  }

  /**
   * Those that had failed when it began. What fails again meanwhile is newer, or was done here already: the clock of the
   * worker that failed it may be behind.
   */
  async function bulk(
    filter: DeadLetterFilter,
    { perSecond, onProgress, signal }: BulkOptions,
    work: (queue: JobQueue, jobIds: readonly string[]) => Promise<readonly string[]>,
  ): Promise<BulkTally> {
    const [newest] = await look(PAGE_LIMIT_MS, () => backend.failedSet.page({ after: null, limit: 1 }));
    const tally = { done: 0, skipped: 0 };
    if (newest === undefined) return tally;
    const start = { failedAtMs: newest.failedAtMs + 1, jobId: '' };
    let total = 0;
    for await (const page of pages(start)) {
      signal.throwIfAborted();
      total += page.filter((job) => matches(filter, job)).length;
    }
    onProgress?.({ done: 0, total });
    const met = new Set<string>();
    for await (const page of pages(start)) {
      const chosen = page.filter((job) => matches(filter, job) && !met.has(job.jobId));
      for (const { jobId } of chosen) met.add(jobId);
      await rateLimitedBatches(chosen, { clock, perSecond, signal }, async (group) => {
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
    replayAll: (filter, options) =>
      bulk(filter, options, (queue, jobIds) => backend.failedSet.putBack({ queue, jobIds })),
    purgeAll: (filter, options) => bulk(filter, options, (_queue, jobIds) => backend.failedSet.remove(jobIds)),
    close,
  };
}
