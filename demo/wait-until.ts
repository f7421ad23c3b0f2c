import type { Clock } from '../src/async/clock.js';

export interface Patience {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface Condition {
  /** What is waited for, for the message. */
  readonly what: string;
  readonly everyMs: number;
  readonly withinMs: number;
}

/** Resolves once `isTrue` does to true, or to false when the time is over; rejects with the signal's reason on abort. */
export async function holdsWithin(
  { clock, signal }: Patience,
  { everyMs, withinMs }: Pick<Condition, 'everyMs' | 'withinMs'>,
  isTrue: () => Promise<boolean>,
): Promise<boolean> {
  const deadlineMs = clock.monotonicMs() + withinMs;
  for (;;) {
    signal.throwIfAborted();
    if (await isTrue()) return true;
    if (clock.monotonicMs() >= deadlineMs) return false;
    await pause(clock, everyMs, signal);
  }
}

/** The same for what must become true: rejects when it has not in time. */
export async function untilTrue(
  patience: Patience,
  condition: Condition,
  isTrue: () => Promise<boolean>,
): Promise<void> {
  if (await holdsWithin(patience, condition, isTrue)) return;
  throw new DemoError(`${condition.what} took longer than ${condition.withinMs / 1_000} s`);
}

/** The demonstration cannot be played to its end. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      cancel();
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const cancel = clock.after(delayMs, wake);
    if (signal.aborted) wake();
    else signal.addEventListener('abort', wake, { once: true });
  });
}

/**
 * Does `work` for each item, at most `limit` at a time. After a failure or an abort nothing new is begun, and what was
 * begun is waited for, so that whoever tidies up afterwards finds all of it.
 */
export async function eachOf<Item>(
  items: readonly Item[],
  limit: number,
  signal: AbortSignal,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const left = [...items];
  const failures: unknown[] = [];
  const takeTurns = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) {
      try {
        signal.throwIfAborted();
        await work(item);
      } catch (error) {
        failures.push(error);
        left.length = 0;
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, takeTurns));
  if (failures.length > 0) throw failures[0];
}
