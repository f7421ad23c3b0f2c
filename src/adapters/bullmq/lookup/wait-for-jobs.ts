import { type Clock, pause } from '../../../async/clock.js';
import type { JobResult, JobWaiter } from '../../../jobs/ports.js';
import { type JobEvents, type JobQueue, type QueueStore, STORE_CONCURRENCY } from '../store/queue-store.js';
import { endingOf } from './job-result.js';
import { mapConcurrent } from '../../../async/map-concurrent.js';
import type { QueueReport } from '../store/queue-store.js';
import { createOutageReporter } from '../store/outage-reporter.js';
import { keepRunning, openWhenPossible } from '../store/supervise.js';
import { NotWaitedForError } from '../../../domain/errors.js';
import { within } from '../store/store-errors.js';

const POLL_MS = 1_000;
/** Jobs read at once; of many, each is read in turn. */
const POLL_BATCH = 200;
const CLOSE_LIMIT_MS = 2_000;

interface Deps {
  readonly backend: Pick<QueueStore, 'queue' | 'events'>;
  readonly clock: Clock;
  readonly report: QueueReport;
}

/** One caller's wait: the jobs it still waits for. */
interface Waiter {
  readonly pending: Set<string>;
  readonly onEnd: (ending: JobResult) => void;
  readonly finished: () => void;
  /** Aborted when the wait is given up. */
  readonly over: AbortController;
}

/**
 * Listens to the queue's events for quick answers and reads the jobs every second for certain ones: events get lost in
 * outages, when they are trimmed, and before listening has begun.
 */
export function createJobWaiter({ backend, clock, report }: Deps): JobWaiter {
  const closing = new AbortController();
  const waiters = new Set<Waiter>();
  let queue: JobQueue | undefined;
  let events: JobEvents | undefined;
  let listening: Promise<void> | undefined;

  const streak = createOutageReporter({ clock, report, probe: async () => queue?.getActiveCount() });
  const onError = (cause: unknown): void => streak.note(cause, "the queue's events");
  const opening = { clock, signal: closing.signal, everyMs: POLL_MS, onBroken: onError };

  async function listen(): Promise<void> {
    const [, opened] = await Promise.all([openQueue(), openWhenPossible(() => backend.events({ onError }), opening)]);
    if (opened === undefined) return;
    events = opened;
    opened.on('completed', ({ jobId }) => void look([jobId]));
    opened.on('failed', ({ jobId }) => void look([jobId]));
    void keepRunning(opened, { clock, signal: closing.signal, onBroken: onError });
  }

  async function openQueue(): Promise<void> {
    queue = await openWhenPossible(() => backend.queue({ onError }), opening);
  }

  const awaited = (jobId: string): boolean => [...waiters].some(({ pending }) => pending.has(jobId));

  /** Reads the jobs and tells whoever waits for those that have ended. */
  async function look(jobIds: readonly string[]): Promise<void> {
    const open = queue;
    if (open === undefined) return;
    await mapConcurrent(jobIds.filter(awaited), STORE_CONCURRENCY, async (jobId) => {
      try {
        const ending = endingOf(jobId, await open.getJob(jobId));
        if (ending !== undefined) tell(ending);
      } catch (error) {
        onError(error);
      }
    });
  }

  function tell(ending: JobResult): void {
    for (const { pending, onEnd, finished } of waiters) {
      if (!pending.delete(ending.jobId)) continue;
      onEnd(ending);
      if (pending.size === 0) finished();
    }
  }

  async function poll({ pending, over: { signal } }: Waiter): Promise<void> {
    let next = 0;
    while (pending.size > 0 && !signal.aborted) {
      const ids = [...pending];
      if (next >= ids.length) next = 0;
      await within(clock, POLL_MS * 5, look(ids.slice(next, next + POLL_BATCH))).catch(onError);
      next += POLL_BATCH;
      if (next >= ids.length) await pause(clock, POLL_MS, signal);
    }
  }

  async function wait(
    jobIds: readonly string[],
    onEnd: (ending: JobResult) => void,
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    closing.signal.throwIfAborted();
    if (jobIds.length === 0) return;
    listening ??= listen();
    const over = new AbortController();
    const abort = (): void => over.abort(signal.reason);
    signal.addEventListener('abort', abort);
    try {
      await new Promise<void>((resolve, reject) => {
        const waiter: Waiter = { pending: new Set(jobIds), onEnd, finished: resolve, over };
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- an abort reason is passed on as it is
        over.signal.addEventListener('abort', () => reject(over.signal.reason));
        waiters.add(waiter);
        void poll(waiter);
      });
    } finally {
      signal.removeEventListener('abort', abort);
      for (const waiter of waiters) if (waiter.over === over) waiters.delete(waiter);
    }
  }

  async function close(): Promise<void> {
    if (closing.signal.aborted) return;
    const reason = new NotWaitedForError('no longer waiting: the queue has been closed');
    closing.abort(reason);
    for (const { over } of waiters) over.abort(reason);
    streak.end();
    await within(clock, CLOSE_LIMIT_MS, goodbyes()).catch(() => undefined);
  }

  async function goodbyes(): Promise<void> {
    await listening;
    await Promise.all([events?.close(), queue?.close()]);
  }

  return { wait, close };
}
