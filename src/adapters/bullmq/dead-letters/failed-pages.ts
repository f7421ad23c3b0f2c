import type { Clock } from '../../../async/clock.js';
import type { DeadLetterFilter } from '../../../jobs/dead-letters.js';
import type { FailedEntry, FailedPosition, FailedSet } from '../store/failed-set.js';
import { answered } from '../store/lazy-queue.js';
import { matches } from './to-dead-letter.js';

/** For one page of many. */
export const PAGE_LIMIT_MS = 5_000;
export const PAGE_JOBS = 500;

interface Deps {
  readonly failedSet: Pick<FailedSet, 'page'>;
  readonly clock: Clock;
}

interface Shape {
  readonly size?: number;
  /** Whether to read each job's history, too. */
  readonly withProgress?: boolean;
}

/** Reads the failed set page by page. */
export interface FailedPages {
  /** All failed jobs behind a position, newest first. */
  readonly behind: (from: FailedPosition | null, shape?: Shape) => AsyncGenerator<readonly FailedEntry[]>;
  /**
   * Before all jobs that have failed by now. A job that fails from now on is newer; where its worker's clock is behind,
   * it can still appear, and the caller must know it again.
   */
  readonly now: () => Promise<FailedPosition | null>;
  readonly count: (from: FailedPosition, filter: DeadLetterFilter, signal: AbortSignal) => Promise<number>;
}

export function createFailedPages({ failedSet, clock }: Deps): FailedPages {
  const page = (after: FailedPosition | null, size: number, withProgress: boolean): Promise<readonly FailedEntry[]> =>
    answered(clock, PAGE_LIMIT_MS, failedSet.page(after, size, withProgress));

  async function* behind(
    from: FailedPosition | null,
    { size = PAGE_JOBS, withProgress = false }: Shape = {},
  ): AsyncGenerator<readonly FailedEntry[]> {
    for (let after = from; ;) {
      const found = await page(after, size, withProgress);
      const last = found.at(-1);
      if (last === undefined) return;
      yield found;
      after = last;
    }
  }

  async function now(): Promise<FailedPosition | null> {
    const [newest] = await page(null, 1, false);
    return newest === undefined ? null : { failedAtMs: newest.failedAtMs + 1, jobId: '' };
  }

  async function count(from: FailedPosition, filter: DeadLetterFilter, signal: AbortSignal): Promise<number> {
    let total = 0;
    for await (const found of behind(from)) {
      signal.throwIfAborted();
      total += found.filter((job) => matches(filter, job)).length;
    }
    return total;
  }

  return { behind, now, count };
}
