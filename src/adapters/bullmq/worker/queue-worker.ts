/**
 * The life of one BullMQ worker, the same for cleanups and for sweeps.
 *
 * new -> opening: `start()` opens worker and queue, and repeats that while the store is unavailable.
 * opening -> running: both are open; the patches and listeners are in place before the first job is claimed.
 * new, opening or running -> stopping: `stop()` aborts the signal, so no job is claimed any more; running work may finish
 * within the grace, then it is aborted and hands its job back.
 * stopping -> stopped: worker and queue are closed, or `ABANDON_MS` have passed since the grace.
 */
import type { Processor, Telemetry } from 'bullmq';
import { type Clock, pause } from '../../../async/clock.js';
import { type Interruption, messageOf } from '../../../domain/errors.js';
import type { QueueName } from '../names.js';
import { guardClaims } from '../patches/guard-claims.js';
import { paceClaims } from '../patches/pace-claims.js';
import { createOutageReporter } from '../store/outage-reporter.js';
import type { JobQueue, JobWorker, QueueReport, QueueStore, WorkerSettings } from '../store/queue-store.js';
import { keepRunning, openWhenPossible } from '../store/supervise.js';
import { createJobRecoverer, type JobRecoverer } from './recover-jobs.js';

/** The reasons with which the worker aborts a job through BullMQ. */
export const SHUTDOWN: Interruption = 'shutdown';
export const LOCK_LOST: Interruption = 'lock lost';

/** A killed worker's job runs again after the life of its lock and one or two of these checks. */
export const LOCK_SETTINGS = { lockMs: 5_000, stallCheckMs: 1_500 } as const;

export const REOPEN_MS = 1_000;
// For work that was told to stop: a cleanup releases its lease (5 s at most), a sweep ends its batch; then the job is handed back.
const ABANDON_MS = 8_000;

export interface QueueWorkerDeps {
  readonly backend: Pick<QueueStore, 'kind' | 'queue' | 'worker' | 'repairJob' | 'checkWritable'>;
  readonly clock: Clock;
  readonly report: QueueReport;
  readonly telemetry?: Telemetry | undefined;
}

/** What differs between the workers. */
interface Role {
  readonly queueName: QueueName;
  /** The name of this worker in the log. */
  readonly what: string;
  readonly processor: Processor<unknown, unknown>;
  readonly settings: WorkerSettings;
  /** Subscribes to the worker's events. */
  readonly listen: (open: OpenWorker) => void;
  /** Runs beside the worker until the signal is aborted; the queue is closed only after it has ended. */
  readonly background: (open: OpenWorker) => Promise<void>;
}

export interface OpenWorker {
  readonly worker: JobWorker;
  readonly queue: JobQueue;
  readonly recoverer: JobRecoverer;
  /** Aborted when the worker is to stop. */
  readonly signal: AbortSignal;
  /** Reports an error, as part of an outage if it is one. `what` names the failed step. */
  readonly onError: (cause: unknown, what?: string) => void;
}

export interface QueueWorker {
  /** Resolves when jobs are being taken, without a limit while the store is unavailable; a second call changes nothing. */
  readonly start: () => Promise<void>;
  /**
   * Takes no more jobs, lets running ones finish for `graceMs`, then aborts them and hands them back. Resolves even when
   * the store is gone or work does not end, at most eight seconds after the grace. Safe before `start` and more than once.
   */
  readonly stop: (options: { readonly graceMs: number }) => Promise<void>;
}

export function createQueueWorker(deps: QueueWorkerDeps, role: Role): QueueWorker {
  const { clock, report, backend } = deps;
  const stopping = new AbortController();
  const { signal } = stopping;
  let open: OpenWorker | undefined;
  let background: Promise<void> | undefined;
  let starting: Promise<void> | undefined;
  let stopped: Promise<void> | undefined;

  const outages = createOutageReporter({ clock, report, probe: backend.checkWritable });
  const onError = (cause: unknown, what = role.what): void => {
    if (!isLockNews(cause)) outages.note(cause, what);
  };
  const onBroken = (cause: unknown): void => onError(cause);

  async function begin(): Promise<void> {
    const openOnce = (): Promise<OpenWorker> => openWorker(deps, role, { signal, onError });
    open = await openWhenPossible(openOnce, { clock, signal, onBroken, everyMs: REOPEN_MS });
    if (open === undefined) return;
    const { worker } = open;
    guardClaims(worker);
    paceClaims(worker.getBackend(), { clock, signal });
    listenForLocks(open);
    role.listen(open);
    void keepRunning(worker, { clock, signal, onBroken });
    background = role.background(open).catch(onBroken);
  }

  async function end(graceMs: number): Promise<void> {
    stopping.abort();
    await starting;
    if (open !== undefined) await close(open, graceMs);
    outages.end();
  }

  async function close({ worker, queue }: OpenWorker, graceMs: number): Promise<void> {
    const cancel = clock.after(graceMs, () => worker.cancelAllJobs(SHUTDOWN));
    // BullMQ never answers a call to a closed queue, and such a call would keep the connection that it borrowed.
    const queueClosed = Promise.resolve(background).then(() => queue.close());
    const closed = Promise.all([worker.close().catch(onBroken), queueClosed.catch(onBroken)]);
    await Promise.race([closed, pause(clock, graceMs + ABANDON_MS)]);
    cancel();
  }

  return {
    start: () => (starting ??= signal.aborted ? Promise.resolve() : begin()),
    stop: ({ graceMs }) => (stopped ??= end(graceMs)),
  };
}

async function openWorker(
  { backend, report, telemetry }: QueueWorkerDeps,
  { queueName, processor, settings }: Role,
  { signal, onError }: Pick<OpenWorker, 'signal' | 'onError'>,
): Promise<OpenWorker> {
  const options = { name: queueName, onError: (cause: unknown) => onError(cause) };
  const worker = await backend.worker(processor, settings, { ...options, telemetry });
  try {
    const queue = await backend.queue(options);
    const repairJob = (jobId: string): Promise<boolean> => backend.repairJob(jobId, queueName);
    const recoverer = createJobRecoverer({ queue, backend: { kind: backend.kind, repairJob }, report });
    return { worker, queue, recoverer, signal, onError };
  } catch (error) {
    worker.close(true).catch(options.onError);
    throw error;
  }
}

function listenForLocks({ worker, recoverer, onError }: OpenWorker): void {
  worker.on('lockRenewalFailed', (jobIds) => {
    // Also emitted for jobs that ended while the renewal was under way; cancelling those has no effect.
    for (const jobId of jobIds) worker.cancelJob(jobId, LOCK_LOST);
  });
  // An unreadable job would be claimed and dropped without end, and in the queue of sweeps no other job runs beside it.
  worker.on('stalled', (jobId) => {
    recoverer.repairStalled(jobId).catch((error: unknown) => onError(error, 'repairing a stalled job'));
  });
}

/** BullMQ reports a lost lock twice; `lockRenewalFailed` is the report that names the job. */
const isLockNews = (cause: unknown): boolean => messageOf(cause).startsWith('could not renew lock for job');
