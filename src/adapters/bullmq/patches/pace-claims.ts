/**
 * Replaces two methods of the backend object inside BullMQ's `Worker`: `moveToActive` and `waitForJob`. Checked on bullmq
 * 6.7.0. Remove this patch when BullMQ waits `runRetryDelay` after every error of its store, not only after a refused
 * connection.
 */
import type { IQueueBackend } from 'bullmq';
import { type Clock, pause } from '../../../async/clock.js';
import { LibraryChangedError } from '../../../domain/errors.js';
import { RETRY_STORE_MS } from '../store/job-options.js';

/** The two requests that an idle worker repeats: for a job, and for the news that there may be one. */
type ClaimBackend = Pick<IQueueBackend, 'moveToActive' | 'waitForJob'>;

interface Options {
  readonly clock: Clock;
  /** Aborted when the worker is to stop: the wait ends, and no job is claimed any more. */
  readonly signal: AbortSignal;
}

/**
 * Makes a worker wait after a failed request to its store. BullMQ itself would repeat the request at once, thousands of times
 * a second, when the store closes accepted connections, is full, or is read-only.
 */
export function paceClaims(backend: ClaimBackend, { clock, signal }: Options): void {
  if (typeof backend.moveToActive !== 'function' || typeof backend.waitForJob !== 'function') {
    throw new LibraryChangedError('bullmq', 'moveToActive or waitForJob in the backend of Worker');
  }
  const claim = backend.moveToActive.bind(backend);
  const wait = backend.waitForJob.bind(backend);
  let rest = Promise.resolve();

  async function rested<T>(request: () => Promise<T>, nothing: T): Promise<T> {
    await rest;
    if (signal.aborted) return nothing;
    try {
      return await request();
    } catch (error) {
      rest = pause(clock, RETRY_STORE_MS, signal);
      throw error;
    }
  }

  backend.moveToActive = (token, name) => rested(() => claim(token, name), []);
  backend.waitForJob = (timeoutS) => rested(() => wait(timeoutS), null);
}
