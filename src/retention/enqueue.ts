import { UnavailableError } from '../domain/errors.js';
import type { CleanupRequests, RequestTally, SweepObserver } from './ports.js';

interface EnqueueDeps {
  readonly requests: CleanupRequests;
  readonly observer: SweepObserver;
}

export interface EnqueueOptions {
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  readonly signal: AbortSignal;
}

interface EnqueueTally extends RequestTally {
  /** Games that could not be enqueued. */
  readonly failed: number;
}

const BATCH_GAMES = 500;
const NOTHING: EnqueueTally = { enqueued: 0, coalesced: 0, failed: 0 };

/**
 * Enqueues the cleanups of these games in their order, batch by batch. A game that cannot be enqueued is left out; an
 * outage of the queue ends the whole, because the next game would fail as well.
 */
export async function enqueueAll(
  deps: EnqueueDeps,
  gameIds: readonly string[],
  { onProgress, signal }: EnqueueOptions,
): Promise<EnqueueTally> {
  const total = gameIds.length;
  let tally = NOTHING;
  for (let done = 0; done < total; done += BATCH_GAMES) {
    signal.throwIfAborted();
    const batch = gameIds.slice(done, done + BATCH_GAMES);
    tally = sum(tally, (await enqueue(deps, batch)).tally ?? (await enqueueEach(deps, batch, signal)));
    onProgress?.({ done: Math.min(done + BATCH_GAMES, total), total });
  }
  return tally;
}

/** After a batch failed because of some of its games. Games of the batch that were stored count as coalesced now. */
async function enqueueEach(deps: EnqueueDeps, gameIds: readonly string[], signal: AbortSignal): Promise<EnqueueTally> {
  let tally = NOTHING;
  for (const gameId of gameIds) {
    signal.throwIfAborted();
    const answer = await enqueue(deps, [gameId]);
    if (answer.tally === undefined) deps.observer.skipped(gameId, answer.cause);
    tally = sum(tally, answer.tally ?? { ...NOTHING, failed: 1 });
  }
  return tally;
}

type EnqueueAnswer =
  | { readonly tally: EnqueueTally }
  /** Some of the games cannot be enqueued. */
  | { readonly tally?: undefined; readonly cause: unknown };

/** Throws `UnavailableError` in an outage. */
async function enqueue({ requests, observer }: EnqueueDeps, gameIds: readonly string[]): Promise<EnqueueAnswer> {
  try {
    const tally = await requests.request(gameIds);
    observer.enqueued(tally.enqueued);
    return { tally: { ...tally, failed: 0 } };
  } catch (cause) {
    if (cause instanceof UnavailableError) throw cause;
    return { cause };
  }
}

const sum = (a: EnqueueTally, b: EnqueueTally): EnqueueTally => ({
  enqueued: a.enqueued + b.enqueued,
  coalesced: a.coalesced + b.coalesced,
  failed: a.failed + b.failed,
});
