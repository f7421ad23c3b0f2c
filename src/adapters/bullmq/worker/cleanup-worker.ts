import type { Delivery, JobConsumer, JobOutcome } from '../../../jobs/delivery.js';
import { CLEANUP_QUEUE } from '../names.js';
import { overrideJobOptions } from '../store/job-options.js';
import type { QueueStore, WorkerSettings } from '../store/queue-store.js';
import { createJobCompleter } from './complete-job.js';
import { createProcessor, isCountVerdict } from './processor.js';
import {
  createQueueWorker,
  LOCK_SETTINGS,
  type OpenWorker,
  type QueueWorker,
  type QueueWorkerDeps,
} from './queue-worker.js';

/** For callers without a setting of their own; the service passes RTMANAGER_WORKER_CONCURRENCY. Suits both stores. */
const DEFAULT_CONCURRENCY = 4;

interface Deps extends QueueWorkerDeps {
  readonly consumer: JobConsumer;
  /** Decides on a job that BullMQ abandoned by itself, for example because its flow failed. */
  readonly abandoned: (delivery: Delivery, reason: string) => Promise<JobOutcome>;
}

/** Runs the jobs of the cleanup queue, and once, at its start, puts back jobs that failed for a reason of BullMQ's own. */
export function createCleanupWorker(deps: Deps, settings: Partial<WorkerSettings> = {}): QueueWorker {
  const { backend, clock, report, consumer, abandoned } = deps;
  const verdicts = new WeakMap<object, string>();
  return createQueueWorker(deps, {
    queueName: CLEANUP_QUEUE,
    what: "the queue's worker",
    processor: createProcessor({
      consumer,
      completer: createJobCompleter({ clock }),
      clock,
      report,
      verdictOf: (job) => verdicts.get(job),
      abandoned,
    }),
    settings: {
      concurrency: settings.concurrency ?? DEFAULT_CONCURRENCY,
      lockMs: settings.lockMs ?? LOCK_SETTINGS.lockMs,
      stallCheckMs: settings.stallCheckMs ?? LOCK_SETTINGS.stallCheckMs,
    },
    listen: (open) => listen(open, backend.kind, verdicts),
    background: ({ recoverer, signal }) => recoverer.recoverFailed(signal),
  });
}

function listen(
  { worker, recoverer, onError }: OpenWorker,
  kind: QueueStore['kind'],
  verdicts: WeakMap<object, string>,
) {
  // Emitted for every claimed job before BullMQ acts on it.
  worker.on('active', (job) => {
    const verdict = overrideJobOptions(job, kind);
    if (verdict !== undefined && !isCountVerdict(verdict)) verdicts.set(job, verdict);
  });
  worker.on('failed', (job) => {
    // Only failures of BullMQ's own come here: the processor writes dead letters itself.
    if (job?.id === undefined || job.finishedOn === undefined) return;
    recoverer.recoverFailedJob(job.id).catch((error: unknown) => onError(error, 'putting back a failed job'));
  });
}
