import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;
const EXPIRED = Symbol('expired');

/**
 * Repeats an assertion until it holds and resolves to what it returned. When it still throws after `withinMs`, rejects
 * with its last error; one that never settles counts as failed.
 */
export const eventually = async <T>(
  assertion: () => T | Promise<T>,
  { withinMs = 10_000 }: { withinMs?: number } = {},
): Promise<T> => {
  const deadline = performance.now() + withinMs;
  const ended = new AbortController();
  const expiry = sleep(withinMs, EXPIRED, { signal: ended.signal }).catch(() => EXPIRED);
  let lastError: unknown = new Error(`the assertion did not settle within ${withinMs} ms`);
  try {
    for (;;) {
      try {
        const outcome = await Promise.race([Promise.resolve().then(assertion), expiry]);
        if (typeof outcome !== 'symbol' || outcome !== EXPIRED) return outcome as T;
      } catch (error) {
        lastError = error;
      }
      if (performance.now() >= deadline) throw lastError;
      await sleep(POLL_MS);
    }
  } finally {
    ended.abort();
  }
};
