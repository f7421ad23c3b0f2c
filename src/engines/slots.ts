/** How many cleanups use one engine at a time. */
import { createPermitQueue } from '../circuit-breaker/permit-queue.js';

export interface Slots {
  /** Resolves to the function that gives the slot back. Rejects with the signal's reason when that is aborted first. */
  readonly take: (signal: AbortSignal) => Promise<() => void>;
  readonly taken: () => number;
}

export function createSlots(limit: number): Slots {
  const waiting = createPermitQueue<() => void>();
  let taken = 0;

  function occupy(): () => void {
    taken += 1;
    let isMine = true;
    return () => {
      if (!isMine) return;
      isMine = false;
      taken -= 1;
      if (!waiting.isEmpty()) waiting.admitFirst(occupy());
    };
  }

  return {
    take: async (signal) => {
      signal.throwIfAborted();
      if (taken < limit) return occupy();
      const release = await waiting.wait(signal);
      // The queue is never shut.
      return release ?? occupy();
    },
    taken: () => taken,
  };
}
