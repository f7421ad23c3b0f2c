import { setMaxListeners } from 'node:events';
import type { Clock } from './clock.js';

export interface Deadline {
  readonly clock: Clock;
  readonly limitMs: number;
  /** Makes the error for the time being over; a `TimeoutError` unless the caller knows better. */
  readonly late: () => Error;
  /** The caller's; may live long and watch over many calls at once. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `call` and settles no later than its deadline, even if `call` never does: docker-modem, for one, leaves a call
 * pending for good when an answer breaks off after its headers, and then neither an abort nor a timeout of its own ends it.
 *
 * Rejects with `late()` after `limitMs`, with the caller's abort reason at once when that comes first, else as `call`
 * does. `call` is started before this function first waits, and gets a signal of its own that is aborted in both cases,
 * so that its socket is closed. What was asked for may still be carried out; an ending that comes later is dropped.
 */
export async function withDeadline<T>(
  { clock, limitMs, late, signal }: Deadline,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  // One listener for every call under way is intended here; Node reports more than ten as a leak.
  if (signal !== undefined) setMaxListeners(0, signal);

  const own = new AbortController();
  let stopWatching = (): void => undefined;
  const cutOff = new Promise<never>((_resolve, reject) => {
    const cut = (reason: unknown): void => {
      // Rejecting comes first: the call's own AbortError must not win the race.
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- an abort reason is passed on as it is
      reject(reason);
      own.abort(reason);
    };
    const onAbort = (): void => cut(signal?.reason);
    const cancelTimer = clock.after(limitMs, () => cut(late()));
    signal?.addEventListener('abort', onAbort, { once: true });
    stopWatching = (): void => {
      cancelTimer();
      signal?.removeEventListener('abort', onAbort);
    };
  });

  try {
    return await Promise.race([call(own.signal), cutOff]);
  } finally {
    stopWatching();
  }
}
