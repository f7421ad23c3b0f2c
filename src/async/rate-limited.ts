import { type Clock, pause } from './clock.js';

/** Large enough to keep a store busy, small enough not to starve its other clients. */
const BATCH = 100;
const DEFAULT_PER_SECOND = 5_000;

interface RateLimit {
  readonly clock: Clock;
  readonly perSecond?: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * Calls `work` for one batch after another, at most `perSecond` items a second. Rejects with the signal's reason between
 * two batches, and with the first error of `work`.
 */
export async function rateLimitedBatches<Item>(
  items: readonly Item[],
  { clock, perSecond = DEFAULT_PER_SECOND, signal }: RateLimit,
  work: (batch: readonly Item[]) => Promise<void>,
): Promise<void> {
  const size = Math.max(1, Math.min(BATCH, perSecond));
  const startedMs = clock.monotonicMs();
  for (let start = 0; start < items.length; start += size) {
    signal.throwIfAborted();
    const batch = items.slice(start, start + size);
    await work(batch);
    const dueMs = startedMs + ((start + batch.length) / perSecond) * 1_000;
    const aheadMs = dueMs - clock.monotonicMs();
    if (aheadMs >= 1) await pause(clock, aheadMs, signal);
  }
  signal.throwIfAborted();
}
