import { type Clock, pause } from './clock.js';

/** So many at a time, that the store is kept busy and others still get a word in. */
const GROUP = 100;
const DEFAULT_PER_SECOND = 5_000;

interface Pace {
  readonly clock: Clock;
  readonly perSecond?: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * Does the work for group after group, no faster than so many items a second. Rejects with the signal's reason between
 * two groups; of work that fails, the first error ends it.
 */
export async function inPacedGroups<Item>(
  items: readonly Item[],
  { clock, perSecond = DEFAULT_PER_SECOND, signal }: Pace,
  work: (group: readonly Item[]) => Promise<void>,
): Promise<void> {
  const size = Math.max(1, Math.min(GROUP, perSecond));
  const startedMs = clock.monotonicMs();
  for (let start = 0; start < items.length; start += size) {
    signal.throwIfAborted();
    const group = items.slice(start, start + size);
    await work(group);
    const dueMs = startedMs + ((start + group.length) / perSecond) * 1_000;
    const aheadMs = dueMs - clock.monotonicMs();
    if (aheadMs >= 1) await pause(clock, aheadMs, signal);
  }
  signal.throwIfAborted();
}
