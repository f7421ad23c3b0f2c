/** How many cleanups use one engine at a time. */
import type { Clock } from '../async/clock.js';
import { createPermitQueue } from '../circuit-breaker/permit-queue.js';

export interface Slots {
  /**
   * Resolves to the function that gives the slot back; to undefined when none becomes free soon. Rejects with the
   * signal's reason when that is aborted first.
   */
  readonly take: (signal: AbortSignal) => Promise<(() => void) | undefined>;
  readonly taken: () => number;
}

interface Settings {
  /** Slots. */
  readonly limit: number;
  /**
   * The longest wait for a slot, and how long no slot must have been given back before nothing waits any more. Undefined:
   * a caller waits until it gets one.
   */
  readonly waitMs: number | undefined;
}

export function createSlots(clock: Clock, { limit, waitMs }: Settings): Slots {
  const waiting = createPermitQueue<() => void>();
  let taken = 0;
  let changedMs = clock.monotonicMs();

  function occupy(): () => void {
    taken += 1;
    changedMs = clock.monotonicMs();
    let isMine = true;
    return () => {
      if (!isMine) return;
      isMine = false;
      taken -= 1;
      changedMs = clock.monotonicMs();
      if (!waiting.isEmpty()) waiting.admitFirst(occupy());
    };
  }

  async function waitFor(limitMs: number, signal: AbortSignal): Promise<(() => void) | undefined> {
    const ended = new AbortController();
    const end = (): void => ended.abort(signal.reason);
    signal.addEventListener('abort', end, { once: true });
    try {
      const cancel = clock.after(limitMs, end);
      return await waiting.wait(ended.signal).finally(cancel);
    } catch (reason) {
      if (signal.aborted) throw reason;
      return undefined;
    } finally {
      signal.removeEventListener('abort', end);
    }
  }

  return {
    take: async (signal) => {
      signal.throwIfAborted();
      if (taken < limit) return occupy();
      // The queue is never shut.
      if (waitMs === undefined) return (await waiting.wait(signal)) ?? occupy();
      return clock.monotonicMs() - changedMs >= waitMs ? undefined : waitFor(waitMs, signal);
    },
    taken: () => taken,
  };
}
