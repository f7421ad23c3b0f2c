import type { Telemetry } from 'bullmq';
import type { Clock } from '../../../async/clock.js';
import { messageOf, UnavailableError } from '../../../domain/errors.js';
import type { JobQueue, QueueBackend } from './queue-store.js';
import type { QueueName } from '../names.js';
import type { QueueReport } from './queue-report.js';
import { isPassing, within } from './store-errors.js';
import { createOutageReporter } from './outage-reporter.js';

const CLOSE_LIMIT_MS = 1_000;

interface Deps {
  readonly backend: Pick<QueueBackend, 'queue'>;
  readonly clock: Clock;
  readonly report: QueueReport;
  readonly telemetry?: Telemetry | undefined;
  readonly name?: QueueName | undefined;
  /** What the log calls it. */
  readonly what: string;
}

/** A queue that connects at its first use, so that it may be made while the store is away. */
export interface LazyQueue {
  /** Rejects with `UnavailableError` when the store cannot answer, or has not after `limitMs`. */
  readonly ask: <T>(limitMs: number, work: (queue: JobQueue) => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
}

export function createLazyQueue({ backend, clock, report, telemetry, name, what }: Deps): LazyQueue {
  const streak = createOutageReporter({ clock, report, probe: async () => (await opened())?.getActiveCount() });
  const onError = (cause: unknown): void => streak.note(cause, what);
  let opening: Promise<JobQueue> | undefined;
  let closed = false;

  /** A first connection that failed is forgotten, the next call tries anew. */
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
    streak.end();
    if (queue === undefined) return;
    // A store that is away cannot be said goodbye to.
    await within(
      clock,
      CLOSE_LIMIT_MS,
      queue.then((open) => open.close()),
    ).catch(() => undefined);
  }

  return { ask, close };
}

/** What was asked of the queue's store; any way in which that cannot answer becomes an `UnavailableError`. */
export async function answered<T>(clock: Clock, limitMs: number, asked: Promise<T>): Promise<T> {
  try {
    return await within(clock, limitMs, asked);
  } catch (cause) {
    if (cause instanceof UnavailableError || !isPassing(cause)) throw cause;
    throw new UnavailableError('queue', `the queue's store cannot answer: ${messageOf(cause)}`, { cause });
  }
}
