import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Resolves to what the assertion returned, once it holds: it is checked at once and again at each change. Rejects with
 * its last error after `withinMs`.
 */
export type Until = <T>(assertion: () => T | Promise<T>, options?: { readonly withinMs?: number }) => Promise<T>;

/** Lets tests wait for a condition on notifications, without a timer that polls it. */
export interface Changes {
  /** To be called after each change that an assertion may be waiting for. */
  readonly notify: () => void;
  readonly until: Until;
}

export function createChanges(): Changes {
  let announce = (): void => undefined;
  let change = Promise.resolve();
  const renew = (): void => {
    change = new Promise((resolve) => (announce = resolve));
  };
  renew();
  return {
    notify: () => {
      announce();
      renew();
    },
    until: async (assertion, { withinMs = 10_000 } = {}) => {
      const over = new AbortController();
      const expired = sleep(withinMs, true, { signal: over.signal, ref: false }).catch(() => true);
      try {
        for (;;) {
          // Taken before the check, so that a change during it is not missed.
          const changed = change.then(() => false);
          try {
            return await assertion();
          } catch (error) {
            if (await Promise.race([expired, changed])) throw error;
          }
        }
      } finally {
        over.abort();
      }
    },
  };
}

/** A promise and what resolves it; a second call changes nothing. */
export interface Gate<T> {
  readonly opened: Promise<T>;
  readonly open: (value: T) => void;
}

export function createGate<T = void>(): Gate<T> {
  let open: (value: T) => void = () => undefined;
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
