import { type Clock, pause } from '../../../async/clock.js';
import type { JobResult, JobWaiter } from '../../../jobs/ports.js';
import { type JobEvents, type JobQueue, type QueueBackend, STORE_CONCURRENCY } from '../store/queue-store.js';
import { endingOf } from './job-result.js';
import { mapConcurrent } from '../../../async/map-concurrent.js';
import type { QueueReport } from '../store/queue-report.js';
import { createOutageReporter } from '../store/outage-reporter.js';
import { keepRunning, openWhenPossible } from '../store/supervise.js';
import { NotWaitedForError } from '../../../domain/errors.js';
import { within } from '../store/store-errors.js';
import { createWaitList, type Waiter } from './wait-list.js';

const POLL_MS = 1_000;
/** For the reading of one batch. */
const POLL_LIMIT_MS = 5_000;
/** Jobs of one wait that are read together. */
const POLL_BATCH = 200;
const CLOSE_LIMIT_MS = 2_000;

interface Deps {
  readonly backend: Pick<QueueBackend, 'queue' | 'events'>;
  readonly clock: Clock;
  readonly report: QueueReport;
}

/**
 * Listens to the queue's events for quick answers and reads the jobs every second for certain ones: events get lost in
 * outages, when they are trimmed, and before listening has begun.
 */
export function createJobWaiter({ backend, clock, report }: Deps): JobWaiter {
  const closing = new AbortController();
  const waitList = createWaitList();
  let queue: JobQueue | undefined;
  let events: JobEvents | undefined;
  let listening: Promise<void> | undefined;

  const outages = createOutageReporter({ clock, report, probe: async () => queue?.getActiveCount() });
  const onError = (cause: unknown): void => outages.note(cause, "the queue's events");
  const opening = { clock, signal: closing.signal, everyMs: POLL_MS, onBroken: onError };

  async function listen(): Promise<void> {
    const [, opened] = await Promise.all([openQueue(), openWhenPossible(() => backend.events({ onError }), opening)]);
    if (opened === undefined) return;
    events = opened;
    opened.on('completed', ({ jobId }) => void readJobs([jobId]));
    opened.on('failed', ({ jobId }) => void readJobs([jobId]));
    void keepRunning(opened, { clock, signal: closing.signal, onBroken: onError });
  }

  async function openQueue(): Promise<void> {
    queue = await openWhenPossible(() => backend.queue({ onError }), opening);
  }

  /** Reads the awaited ones of these jobs and reports those that have ended. */
  async function readJobs(jobIds: readonly string[]): Promise<void> {
    const open = queue;
    if (open === undefined) return;
    await mapConcurrent(jobIds.filter(waitList.isAwaited), STORE_CONCURRENCY, async (jobId) => {
      try {
        const ending = endingOf(jobId, await open.getJob(jobId));
        if (ending !== undefined) waitList.report(ending);
      } catch (error) {
        onError(error);
      }
    });
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
    const onAdded = (waiter: Waiter): void => void poll(waiter, { clock, readJobs, onError });
    await waitList.add({ jobIds, onEnd, signal, onAdded });
  }

  async function close(): Promise<void> {
    if (closing.signal.aborted) return;
    const reason = new NotWaitedForError('no longer waiting: the queue has been closed');
    closing.abort(reason);
    waitList.abortAll(reason);
    outages.end();
    await within(clock, CLOSE_LIMIT_MS, closeOpened()).catch(() => undefined);
  }

  async function closeOpened(): Promise<void> {
    await listening;
    await Promise.all([events?.close(), queue?.close()]);
  }

  return { wait, close };
}

interface PollDeps {
  readonly clock: Clock;
  readonly readJobs: (jobIds: readonly string[]) => Promise<void>;
  readonly onError: (cause: unknown) => void;
}

/** Reads all pending jobs about every second, of many one batch after the other, until the wait is over. */
async function poll({ pending, signal }: Waiter, { clock, readJobs, onError }: PollDeps): Promise<void> {
  let next = 0;
  while (pending.size > 0 && !signal.aborted) {
    const ids = [...pending];
    if (next >= ids.length) next = 0;
    await within(clock, POLL_LIMIT_MS, readJobs(ids.slice(next, next + POLL_BATCH))).catch(onError);
    next += POLL_BATCH;
    if (next >= ids.length) await pause(clock, POLL_MS, signal);
  }
}
