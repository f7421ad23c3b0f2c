import { retryUntil } from '../async/retry-until.js';
import { messageOf, MissingRightError, UnavailableError } from '../domain/errors.js';
import type { Context } from './context.js';

const RETRY_EVERY_MS = 500;
const REMIND_EVERY_MS = 30_000;

/**
 * Repeats `attempt` until it succeeds, while the context allows. Only after an outage is it repeated; any other error, a
 * missing right too, is thrown at once. Logs when the waiting starts, every half minute, and when it is over.
 */
export function waitForDependency<T>(context: Context, what: string, attempt: () => Promise<T>): Promise<T> {
  const { log, clock, patienceMs, signal } = context;
  let remindAtMs = 0;
  return retryUntil(attempt, {
    clock,
    signal,
    everyMs: RETRY_EVERY_MS,
    limitMs: patienceMs,
    mayPass: (error) => error instanceof UnavailableError && !(error instanceof MissingRightError),
    onFailed: (error, waitedMs) => {
      if (waitedMs < remindAtMs) return;
      log.warn({ reason: messageOf(error) }, `waiting for ${what}`);
      remindAtMs = waitedMs + REMIND_EVERY_MS;
    },
    onRecovered: (waitedMs) => log.info({ waited_ms: Math.round(waitedMs) }, `${what} answers`),
  });
}
