import { UnavailableError } from '../domain/errors.js';
import type { CleanupRequests, RequestTally, SweepObserver } from './ports.js';
import type { SweepOptions } from './retention.js';

interface EnqueueDeps {
  readonly requests: CleanupRequests;
  readonly observer: SweepObserver;
}

interface EnqueueTally extends RequestTally {
  /** Games that could not be enqueued. */
  readonly failed: number;
}

const BATCH_GAMES = 500;

/**
 * Asks for these games' cleanups in their order, batch by batch. A game that cannot be enqueued is left out; an outage
 * of the queue ends it all, because the next game would fare no better.
 */
export async function enqueueAll(
  deps: EnqueueDeps,
  gameIds: readonly string[],
  { onProgress, signal }: Pick<SweepOptions, 'onProgress' | 'signal'>,
): Promise<EnqueueTally> {
  const total = gameIds.length;
  let tally: EnqueueTally = { enqueued: 0, coalesced: 0, failed: 0 };
  for (let done = 0; done < total; done += BATCH_GAMES) {
    signal.throwIfAborted();
    tally = sum(tally, await enqueueBatch(deps, gameIds.slice(done, done + BATCH_GAMES), signal));
    onProgress?.({ done: Math.min(done + BATCH_GAMES, total), total });
  }
  return tally;
}

async function enqueueBatch(
  { requests, observer }: EnqueueDeps,
  gameIds: readonly string[],
  signal: AbortSignal,
): Promise<EnqueueTally> {
  try {
    const tally = await requests.request(gameIds);
    observer.enqueued(tally.enqueued);
    return { ...tally, failed: 0 };
  } catch (error) {
    if (error instanceof UnavailableError) throw error;
    const [only] = gameIds;
    if (only === undefined || gameIds.length > 1) return oneByOne({ requests, observer }, gameIds, signal);
    observer.skipped(only, error);
    return { enqueued: 0, coalesced: 0, failed: 1 };
  }
}

/** Some game spoilt its batch; alone it spoils nothing. What the batch did store is found coalesced now. */
async function oneByOne(deps: EnqueueDeps, gameIds: readonly string[], signal: AbortSignal): Promise<EnqueueTally> {
  let tally: EnqueueTally = { enqueued: 0, coalesced: 0, failed: 0 };
  for (const gameId of gameIds) {
    signal.throwIfAborted();
    tally = sum(tally, await enqueueBatch(deps, [gameId], signal));
  }
  return tally;
}

const sum = (a: EnqueueTally, b: EnqueueTally): EnqueueTally => ({
  enqueued: a.enqueued + b.enqueued,
  coalesced: a.coalesced + b.coalesced,
  failed: a.failed + b.failed,
});
