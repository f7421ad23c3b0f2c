import { messageOf, UnavailableError } from '../domain/errors.js';
import type { Context } from './context.js';

const RETRY_EVERY_MS = 500;
const REMIND_EVERY_MS = 30_000;

/**
 * Tries until it works, for as long as the context is patient. Only an outage is waited for; anything else is thrown at
 * once. Says so when the waiting starts, every half minute, and when it is over.
 */
export async function untilAvailable<T>(context: Context, what: string, attempt: () => Promise<T>): Promise<T> {
  const { log, clock, patienceMs, signal } = context;
  const startedMs = clock.monotonicMs();
  let remindAtMs = startedMs;
  for (let waited = false; ; waited = true) {
    signal.throwIfAborted();
    try {
      const value = await attempt();
      if (waited) log.info({ waited_ms: Math.round(clock.monotonicMs() - startedMs) }, `${what} answers`);
      return value;
    } catch (error) {
      const nowMs = clock.monotonicMs();
      if (!(error instanceof UnavailableError) || nowMs - startedMs >= patienceMs) throw error;
      if (nowMs >= remindAtMs) {
        log.warn({ reason: messageOf(error) }, `waiting for ${what}`);
        remindAtMs = nowMs + REMIND_EVERY_MS;
      }
      await pause(context);
    }
  }
}

function pause({ clock, signal }: Context): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      cancel();
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const cancel = clock.after(RETRY_EVERY_MS, wake);
    signal.addEventListener('abort', wake, { once: true });
  });
}
