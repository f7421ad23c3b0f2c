import type { Telemetry } from 'bullmq';
import type { Clock } from '../../../async/clock.js';
import { messageOf, MissingRightError, UnavailableError } from '../../../domain/errors.js';
import type { JobQueue, QueueReport, QueueStore } from './queue-store.js';
import type { QueueName } from '../names.js';
import { isMissingRight, isTransient, within } from './store-errors.js';
import { createOutageReporter } from './outage-reporter.js';

const CLOSE_LIMIT_MS = 1_000;

interface Deps {
  readonly backend: Pick<QueueStore, 'queue'>;
  readonly clock: Clock;
  readonly report: QueueReport;
  readonly telemetry?: Telemetry | undefined;
  readonly name?: QueueName | undefined;
  /** The name of this queue in the log. */
  readonly what: string;
}

/** A queue that connects at its first use, so that it can be created while the store is unavailable. */
export interface LazyQueue {
  /** Rejects with `UnavailableError` when the store cannot answer or does not answer within `limitMs`. */
  readonly ask: <T>(limitMs: number, work: (queue: JobQueue) => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
}

export function createLazyQueue({ backend, clock, report, telemetry, name, what }: Deps): LazyQueue {
  const outages = createOutageReporter({ clock, report, probe: async () => (await opened())?.getActiveCount() });
  const onError = (cause: unknown): void => outages.note(cause, what);
  let opening: Promise<JobQueue> | undefined;
  let closed = false;

  /** When the first connection fails, the next call tries again. */
  function opened(): Promise<JobQueue> {
    if (closed) return Promise.reject(new UnavailableError('queue', 'the queue has been closed'));
    if (opening === undefined) {
      const attempt = backend.queue({ name, onError, telemetry });
      opening = attempt;
      attempt.catch(() => {
        if (opening === attempt) opening = undefined;
      });
    }
    return opening;
  }

  const ask = <T>(limitMs: number, work: (queue: JobQueue) => Promise<T>): Promise<T> =>
    answered(clock, limitMs, opened().then(work));

  async function close(): Promise<void> {
    if (closed) return;
    const queue = opening;
    closed = true;
    outages.end();
    if (queue === undefined) return;
    // `close()` may never settle when the store is unreachable, so it is bounded.
    await within(
      clock,
      CLOSE_LIMIT_MS,
      queue.then((open) => open.close()),
    ).catch(() => undefined);
  }

  return { ask, close };
}

/** Waits for an answer of the queue's store; every outage and time-out becomes an `UnavailableError`. */
export async function answered<T>(clock: Clock, limitMs: number, asked: Promise<T>): Promise<T> {
  try {
    return await within(clock, limitMs, asked);
  } catch (cause) {
    if (cause instanceof UnavailableError || !isTransient(cause)) throw cause;
    if (isMissingRight(cause)) throw new MissingRightError('queue', messageOf(cause), { cause });
    throw new UnavailableError('queue', `the queue's store cannot answer: ${messageOf(cause)}`, { cause });
  }
}
