import { type Job, type Telemetry, UnrecoverableError, WaitingError } from 'bullmq';
import type { Clock } from '../../clock.js';
import { messageOf } from '../../domain/errors.js';
import type { SweepReport } from '../../retention/ports.js';
import type { JobQueue, JobWorker, QueueBackend, WorkerSettings } from './backend.js';
import { guardClaims } from './claim-guard.js';
import { ensureSchedule } from './ensure-schedule.js';
import { RETENTION_QUEUE, SWEEP_JOB } from './names.js';
import { LOCK_LOST, SHUTDOWN } from './processor.js';
import type { QueueReport } from './report.js';
import { storableError } from './stored-text.js';
import { createStreak } from './streak.js';
import { keepRunning, openWhenPossible } from './supervise.js';
import { pause } from './time.js';

/** A killed worker's sweep runs again after about a lock's life and one or two checks. */
const WORKING: WorkerSettings = { concurrency: 1, lockMs: 5_000, stallCheckMs: 1_500 };
const ENSURE_EVERY_MS = 15_000;
const REOPEN_MS = 1_000;
// After a running sweep was told to stop: it ends between two batches, and the job is handed back.
const ABANDON_MS = 8_000;

interface Deps {
  readonly backend: QueueBackend;
  /** Rejects with the signal's reason once that is aborted. */
  readonly sweep: (signal: AbortSignal) => Promise<SweepReport>;
  readonly clock: Clock;
  readonly report: QueueReport;
  readonly telemetry?: Telemetry | undefined;
}

interface Settings {
  readonly everyMs: number;
  /** How often to look whether the schedule is still there: a Redis that was emptied has none. */
  readonly ensureEveryMs?: number | undefined;
}

export interface SweepWorker {
  /** Resolves when sweeps are being taken, however long the store is out of reach till then. */
  readonly start: () => Promise<void>;
  /** Lets a running sweep go on for `graceMs`, then hands it back. Safe before `start` and more than once. */
  readonly stop: (options: { readonly graceMs: number }) => Promise<void>;
}

interface Open {
  readonly worker: JobWorker;
  readonly queue: JobQueue;
}

/**
 * Runs the sweeps of the schedule, and keeps the schedule. A sweep repeats harmlessly, so BullMQ's own bookkeeping of
 * its jobs will do: one that could not be recorded as done is simply run again.
 */
export function createSweepWorker(deps: Deps, { everyMs, ensureEveryMs = ENSURE_EVERY_MS }: Settings): SweepWorker {
  const { backend, clock, report, telemetry } = deps;
  const name = RETENTION_QUEUE;
  const stopping = new AbortController();
  let opened: Open | undefined;
  let starting: Promise<void> | undefined;
  let stopped: Promise<void> | undefined;

  const streak = createStreak({ clock, report, probe: async () => opened?.queue.getActiveCount() });
  const onError = (cause: unknown): void => {
    // Of a lost lock the other event tells more.
    if (!messageOf(cause).startsWith('could not renew lock for job')) streak.note(cause, "the sweeps' worker");
  };

  async function open(): Promise<Open> {
    const worker = await backend.worker(createSweepProcessor(deps), WORKING, { name, onError, telemetry });
    try {
      return { worker, queue: await backend.queue({ name, onError }) };
    } catch (error) {
      worker.close(true).catch(onError);
      throw error;
    }
  }

  async function begin(): Promise<void> {
    const options = { clock, signal: stopping.signal, onBroken: onError };
    opened = await openWhenPossible(open, { ...options, everyMs: REOPEN_MS });
    if (opened === undefined) return;
    const { worker, queue } = opened;
    guardClaims(worker);
    worker.on('lockRenewalFailed', (jobIds) => {
      for (const jobId of jobIds) worker.cancelJob(jobId, LOCK_LOST);
    });
    void keepRunning(worker, options);
    void keepSchedule(queue);
  }

  async function keepSchedule(queue: JobQueue): Promise<void> {
    let mayChange = true;
    while (!stopping.signal.aborted) {
      try {
        await ensureSchedule({ queue, backend, everyMs, mayChange });
        mayChange = false;
      } catch (error) {
        onError(error);
      }
      await pause(clock, mayChange ? REOPEN_MS : ensureEveryMs, stopping.signal);
    }
  }

  async function end(graceMs: number): Promise<void> {
    stopping.abort();
    await starting;
    if (opened !== undefined) await closing(opened, graceMs);
    streak.end();
  }

  async function closing({ worker, queue }: Open, graceMs: number): Promise<void> {
    const cancel = clock.after(graceMs, () => worker.cancelAllJobs(SHUTDOWN));
    const closed = Promise.all([worker.close().catch(onError), queue.close().catch(onError)]);
    await Promise.race([closed, pause(clock, graceMs + ABANDON_MS)]);
    cancel();
  }

  return {
    start: () => (starting ??= stopping.signal.aborted ? Promise.resolve() : begin()),
    stop: ({ graceMs }) => (stopped ??= end(graceMs)),
  };
}

type SweepJob = Pick<Job<unknown, unknown>, 'name' | 'moveToWait'>;

/** Three declared parameters: BullMQ counts them and makes no signal for fewer. */
export function createSweepProcessor({ sweep, report }: Pick<Deps, 'sweep' | 'report'>) {
  return async (job: SweepJob, token: string | undefined, signal: AbortSignal | undefined): Promise<unknown> => {
    if (job.name !== SWEEP_JOB) {
      const shown = JSON.stringify(job.name.slice(0, 100).toWellFormed());
      throw new UnrecoverableError(`invalid_request: job name ${shown} is unknown; allowed: ${SWEEP_JOB}`);
    }
    if (signal === undefined) throw new Error('BullMQ gave the sweep no signal');
    try {
      return await sweep(signal);
    } catch (error) {
      if (signal.aborted && signal.reason === SHUTDOWN) {
        await job.moveToWait(token);
        throw new WaitingError();
      }
      if (!signal.aborted) report.fault('a sweep failed', error);
      throw storableError(error);
    }
  };
}
