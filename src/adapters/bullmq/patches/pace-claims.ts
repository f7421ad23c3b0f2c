import type { IQueueBackend } from 'bullmq';
import { type Clock, pause } from '../../../async/clock.js';
import { RETRY_STORE_MS } from '../store/job-options.js';

/** What a worker asks of its store for as long as it runs: a job, and to be told when there may be one. */
type ClaimStore = Pick<IQueueBackend, 'moveToActive' | 'waitForJob'>;

interface Options {
  readonly clock: Clock;
  /** Aborted when the worker is to stop: rest ends, and nothing is claimed any more. */
  readonly signal: AbortSignal;
}

/**
 * Lets a worker rest after a question that its store failed to answer. BullMQ itself rests where the connection was refused
 * (`runRetryDelay`) and nowhere else: of a store that closes what it has accepted, is full, or may only be read, it would
 * ask the same again at once, thousands of times a second.
 */
export function paceClaims(store: ClaimStore, { clock, signal }: Options): void {
  const claim = store.moveToActive.bind(store);
  const wait = store.waitForJob.bind(store);
  let rest = Promise.resolve();

  async function rested<T>(ask: () => Promise<T>, nothing: T): Promise<T> {
    await rest;
    if (signal.aborted) return nothing;
    try {
      return await ask();
    } catch (error) {
      rest = pause(clock, RETRY_STORE_MS, signal);
      throw error;
    }
  }

  store.moveToActive = (token, name) => rested(() => claim(token, name), []);
  store.waitForJob = (timeoutS) => rested(() => wait(timeoutS), null);
}
