import type { Clock } from '../../../async/clock.js';
import type { FailureCode } from '../../../domain/error-codes.js';
import { type Page, pageOf, requireLimit } from '../../../domain/pages.js';
import type { DeadLetter, DeadLetterQuery, DeadLetterReader } from '../../../jobs/dead-letters.js';
import { shownReason } from '../../../jobs/failure-reason.js';
import type { DeadLetterGames, DeadLetterOf } from '../../../retention/ports.js';
import type { FailedEntry, FailedSet } from '../store/failed-set.js';
import { answered } from '../store/lazy-queue.js';
import { isJobId } from '../store/stored-text.js';
import { cursorOf, positionOf } from './cursor.js';
import { type FailedPages, PAGE_JOBS } from './failed-pages.js';
import { deadLetterOf, isFilter, matches, storyOf, textIn } from './to-dead-letter.js';

const ANSWER_LIMIT_MS = 1_000;

interface Deps {
  readonly failedSet: Pick<FailedSet, 'find'>;
  readonly pages: FailedPages;
  readonly clock: Clock;
}

export function createDeadLetterReader({ failedSet, pages, clock }: Deps): DeadLetterReader & DeadLetterGames {
  async function list(query: DeadLetterQuery): Promise<Page<DeadLetter>> {
    requireLimit(query.limit);
    const found: FailedEntry[] = [];
    // Few of many jobs may match a filter: then small pages would take long.
    const size = isFilter(query) ? PAGE_JOBS : Math.min(PAGE_JOBS, query.limit + 1);
    for await (const page of pages.behind(positionOf(query.after), { size, withProgress: true })) {
      found.push(...page.filter((job) => matches(query, job)));
      if (found.length > query.limit) break;
    }
    const { items, next } = pageOf(found, query.limit, cursorOf);
    return { items: items.map(deadLetterOf), next };
  }

  async function countByCode(): Promise<Readonly<Partial<Record<FailureCode, number>>>> {
    const counts: Partial<Record<FailureCode, number>> = {};
    for await (const page of pages.behind(null)) {
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
    for await (const page of pages.behind(null)) {
      for (const { data, jobId, reason } of page) {
        const gameId = textIn(data, 'gameId').trim();
        if (games.has(gameId) || wanted?.has(gameId) === false) continue;
        games.set(gameId, { jobId, code: shownReason(reason).code });
      }
      if (games.size === wanted?.size) break;
    }
    return games;
  }

  return {
    list,
    countByCode,
    among,
    find: async (jobId) => {
      if (!isJobId(jobId)) return undefined;
      const job = await answered(clock, ANSWER_LIMIT_MS, failedSet.find(jobId));
      return job === undefined ? undefined : storyOf(job);
    },
  };
}
