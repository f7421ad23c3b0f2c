import { setMaxListeners } from 'node:events';
import type { Clock } from './clock.js';

/** A call did not settle in its time. Nothing is known of it: the other side may still carry it out. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';

  constructor(readonly timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
  }
}

export interface DeadlineOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** The caller's; may live long and watch over many calls at once. */
  readonly signal: AbortSignal;
}

/**
 * Runs `call` and settles no later than its deadline, even if `call` never does: docker-modem leaves a call hanging for
 * good when an answer breaks off after its headers, and then neither an abort nor a timeout of its own ends it.
 *
 * Rejects with `DeadlineError` after `timeoutMs`, with the caller's abort reason at once when that comes first, else as
 * `call` does. `call` gets a signal of its own that is aborted in both cases, so that its socket is closed.
 */
export async function withDeadline<T>(
  { clock, timeoutMs, signal }: DeadlineOptions,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  // One listener for every call under way is meant here; Node takes more than ten for a leak and warns.
  setMaxListeners(0, signal);

  const own = new AbortController();
  let stopWatching = (): void => undefined;
  const cutOff = new Promise<never>((_resolve, reject) => {
    const cut = (reason: unknown): void => {
      // Rejecting comes first: the call's own AbortError must not win the race.
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- an abort reason is passed on as it is
      reject(reason);
      own.abort(reason);
    };
    const onAbort = (): void => cut(signal.reason);
    const cancelTimer = clock.after(timeoutMs, () => cut(new DeadlineError(timeoutMs)));
    signal.addEventListener('abort', onAbort, { once: true });
    stopWatching = (): void => {
      cancelTimer();
      signal.removeEventListener('abort', onAbort);
    };
  });

  try {
    return await Promise.race([call(own.signal), cutOff]);
  } finally {
    stopWatching();
  }
}
