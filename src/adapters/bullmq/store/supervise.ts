import { type Clock, pause } from '../../../async/clock.js';
import { retryUntil } from '../../../async/retry-until.js';

interface Loop {
  /** Runs until it is closed, or breaks. */
  readonly run: () => Promise<unknown>;
}

interface Options {
  readonly clock: Clock;
  /** Aborted when the loop is meant to end. */
  readonly signal: AbortSignal;
  readonly onBroken: (cause: unknown) => void;
}

const RESTART_MS = 1_000;

/** Keeps one of BullMQ's loops going: an error that gets through its own guards ends it for good otherwise. */
export async function keepRunning(loop: Loop, { clock, signal, onBroken }: Options): Promise<void> {
  while (!signal.aborted) {
    try {
      await loop.run();
    } catch (error) {
      if (!signal.aborted) onBroken(error);
    }
    await pause(clock, RESTART_MS, signal);
  }
}

interface Retrying extends Options {
  readonly everyMs: number;
}

/** Opens an object of the store as soon as that answers; undefined when the signal was aborted before. */
export async function openWhenPossible<T>(open: () => Promise<T>, options: Retrying): Promise<T | undefined> {
  const { clock, signal, onBroken, everyMs } = options;
  try {
    return await retryUntil(open, { clock, signal, everyMs, onFailed: onBroken });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}
