import type { Telemetry } from 'bullmq';
import { type Clock, pause } from '../../../async/clock.js';
import { messageOf } from '../../../domain/errors.js';
import type { SweepReport } from '../../../retention/ports.js';
import type { JobQueue, JobWorker, QueueBackend, WorkerSettings } from '../store/queue-store.js';
import { guardClaims } from '../patches/guard-claims.js';
import { paceClaims } from '../patches/pace-claims.js';
import { ensureSchedule } from './ensure-schedule.js';
import { createJobRecoverer } from '../worker/recover-jobs.js';
import { takeChargeOfSweep } from '../store/job-options.js';
import { RETENTION_QUEUE, SWEEP_SCHEDULER } from '../names.js';
import { LOCK_LOST, SHUTDOWN } from '../worker/processor.js';
import type { QueueReport } from '../store/queue-report.js';
import { createStandstillWatch } from './stalled-schedule.js';
import { createOutageReporter } from '../store/outage-reporter.js';
import { keepRunning, openWhenPossible } from '../store/supervise.js';
import { createSweepProcessor } from './sweep-processor.js';

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

/** Runs the sweeps of the schedule, and keeps the schedule. */
export function createSweepWorker(deps: Deps, { everyMs, ensureEveryMs = ENSURE_EVERY_MS }: Settings): SweepWorker {
  const { backend, clock, report, telemetry } = deps;
  const name = RETENTION_QUEUE;
  const stopping = new AbortController();
  let opened: Open | undefined;
  let keeping: Promise<void> | undefined;
  let starting: Promise<void> | undefined;
  let stopped: Promise<void> | undefined;

  const streak = createOutageReporter({ clock, report, probe: async () => opened?.queue.getActiveCount() });
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
    paceClaims(worker.getBackend(), { clock, signal: stopping.signal });
    listen(opened);
    void keepRunning(worker, options);
    keeping = keepSchedule(queue);
  }

  function listen({ worker, queue }: Open): void {
    const mend = (jobId: string): Promise<boolean> => backend.mend(jobId, name);
    const healer = createJobRecoverer({ queue, backend: { kind: backend.kind, mend }, report });
    worker.on('active', takeChargeOfSweep);
    worker.on('lockRenewalFailed', (jobIds) => {
      for (const jobId of jobIds) worker.cancelJob(jobId, LOCK_LOST);
    });
    // One that cannot be read is claimed and dropped for ever, and no other sweep is claimed beside it.
    worker.on('stalled', (jobId) => void healer.repairStalled(jobId).catch(onError));
  }

  async function keepSchedule(queue: JobQueue): Promise<void> {
    const watch = createStandstillWatch({ queue, backend, clock });
    let mayChange = true;
    while (!stopping.signal.aborted) {
      try {
        await ensureSchedule({ queue, backend, everyMs, mayChange });
        mayChange = false;
        if (await watch.look()) report.healed(SWEEP_SCHEDULER, 'the schedule of sweeps stood still and was made anew');
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
    // What is added to a closed queue is never answered, and would keep the connection that is lent for it.
    const queueClosed = Promise.resolve(keeping).then(() => queue.close());
    const closed = Promise.all([worker.close().catch(onError), queueClosed.catch(onError)]);
    await Promise.race([closed, pause(clock, graceMs + ABANDON_MS)]);
    cancel();
  }

  return {
    start: () => (starting ??= stopping.signal.aborted ? Promise.resolve() : begin()),
    stop: ({ graceMs }) => (stopped ??= end(graceMs)),
  };
}
