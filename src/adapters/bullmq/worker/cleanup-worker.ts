import type { Telemetry } from 'bullmq';
import { type Clock, pause } from '../../../async/clock.js';
import { messageOf } from '../../../domain/errors.js';
import type { Delivery, JobConsumer, JobOutcome } from '../../../jobs/delivery.js';
import type { JobQueue, JobWorker, QueueBackend, WorkerSettings } from '../store/queue-store.js';
import { guardClaims } from '../patches/guard-claims.js';
import { paceClaims } from '../patches/pace-claims.js';
import { createJobRecoverer, type JobRecoverer } from './recover-jobs.js';
import { overrideJobOptions } from '../store/job-options.js';
import { createProcessor, isCountVerdict, LOCK_LOST, SHUTDOWN } from './processor.js';
import type { QueueReport } from '../store/queue-report.js';
import { createJobCompleter } from './complete-job.js';
import { createOutageReporter, type OutageReporter } from '../store/outage-reporter.js';
import { keepRunning, openWhenPossible } from '../store/supervise.js';

/** A killed worker's job runs again after about a lock's life and one or two checks. */
const DEFAULT_LOCK_MS = 5_000;
const DEFAULT_STALL_CHECK_MS = 1_500;
/** For callers without a setting of their own; the service passes RTMANAGER_WORKER_CONCURRENCY. Suits both stores. */
const DEFAULT_CONCURRENCY = 4;

const REOPEN_MS = 1_000;
// After running work was told to stop: release of its lease (5 s at most) and handing the job back.
const ABANDON_MS = 8_000;

interface Deps {
  readonly backend: QueueBackend;
  readonly consumer: JobConsumer;
  readonly clock: Clock;
  readonly report: QueueReport;
  readonly telemetry?: Telemetry | undefined;
  /** Ends a job BullMQ gave up on its own (its flow failed, say). */
  readonly gaveUp: (delivery: Delivery, reason: string) => Promise<JobOutcome>;
}

export interface CleanupWorker {
  /** Resolves when jobs are being taken, however long the store is out of reach till then; a second call changes nothing. */
  readonly start: () => Promise<void>;
  /**
   * Takes no more jobs, lets running ones finish for `graceMs`, then aborts them and hands them back. Resolves even when
   * the store is gone or work does not end, at most eight seconds later. Safe before `start` and more than once.
   */
  readonly stop: (options: { readonly graceMs: number }) => Promise<void>;
}

interface Open {
  readonly worker: JobWorker;
  readonly queue: JobQueue;
}

export function createCleanupWorker(deps: Deps, settings: Partial<WorkerSettings> = {}): CleanupWorker {
  const { backend, clock, report } = deps;
  const stopping = new AbortController();
  const verdicts = new WeakMap<object, string>();
  const process = createProcessor({
    consumer: deps.consumer,
    settler: createJobCompleter({ clock }),
    clock,
    report,
    verdictOf: (job) => verdicts.get(job),
    gaveUp: deps.gaveUp,
  });
  let opened: Open | undefined;
  let starting: Promise<void> | undefined;
  let stopped: Promise<void> | undefined;

  const streak = createOutageReporter({ clock, report, probe: async () => opened?.queue.getActiveCount() });
  const onError = (cause: unknown): void => {
    if (!isLockNews(cause)) streak.note(cause, "the queue's worker");
  };

  async function open(): Promise<Open> {
    const options = { onError, telemetry: deps.telemetry };
    const worker = await backend.worker(process, withDefaults(settings), options);
    try {
      return { worker, queue: await backend.queue({ onError }) };
    } catch (error) {
      worker.close(true).catch(onError);
      throw error;
    }
  }

  async function begin(): Promise<void> {
    const retrying = { clock, signal: stopping.signal, everyMs: REOPEN_MS, onBroken: onError };
    opened = await openWhenPossible(open, retrying);
    if (opened === undefined) return;
    const { worker, queue } = opened;
    const healer = createJobRecoverer({ queue, backend, report });
    guardClaims(worker);
    paceClaims(worker.getBackend(), { clock, signal: stopping.signal });
    listen(worker, { kind: backend.kind, verdicts, streak, healer });
    void keepRunning(worker, { clock, signal: stopping.signal, onBroken: onError });
    healer.recoverFailed(stopping.signal).catch(onError);
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

interface Listening {
  readonly kind: QueueBackend['kind'];
  readonly verdicts: WeakMap<object, string>;
  readonly streak: OutageReporter;
  readonly healer: JobRecoverer;
}

function listen(worker: JobWorker, { kind, verdicts, streak, healer }: Listening): void {
  const healing = (what: string, healed: Promise<unknown>): void =>
    void healed.catch((error: unknown) => streak.note(error, what));

  // Emitted for every claimed job before anything is done to it.
  worker.on('active', (job) => {
    const verdict = overrideJobOptions(job, kind);
    if (verdict !== undefined && !isCountVerdict(verdict)) verdicts.set(job, verdict);
  });
  worker.on('lockRenewalFailed', (jobIds) => {
    // Also comes for jobs that were settled while the renewal was on its way; nobody listens there any more.
    for (const jobId of jobIds) worker.cancelJob(jobId, LOCK_LOST);
  });
  worker.on('stalled', (jobId) => healing('mending a stalled job', healer.repairStalled(jobId)));
  worker.on('failed', (job) => {
    // Dead letters are written by the processor and never come by here.
    if (job?.id !== undefined && job.finishedOn !== undefined)
      healing('putting back a job', healer.recoverFailedJob(job.id));
  });
}

/** BullMQ tells of a lost lock twice; the other time it says whose it was. */
const isLockNews = (cause: unknown): boolean => messageOf(cause).startsWith('could not renew lock for job');

function withDefaults(settings: Partial<WorkerSettings>): WorkerSettings {
  return {
    concurrency: settings.concurrency ?? DEFAULT_CONCURRENCY,
    lockMs: settings.lockMs ?? DEFAULT_LOCK_MS,
    stallCheckMs: settings.stallCheckMs ?? DEFAULT_STALL_CHECK_MS,
  };
}
