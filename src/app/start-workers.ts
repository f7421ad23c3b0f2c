import type { QueueStore } from '../adapters/bullmq/store/queue-store.js';
import { createQueueTelemetry } from '../adapters/bullmq/queue-telemetry.js';
import { createSweepWorker } from '../adapters/bullmq/sweeps/sweep-worker.js';
import type { QueueWorker } from '../adapters/bullmq/worker/queue-worker.js';
import { createCleanupWorker } from '../adapters/bullmq/worker/cleanup-worker.js';
import { createCleanupService } from '../cleanup/cleanup-service.js';
import type { CleanupObserver, Engines } from '../cleanup/ports.js';
import { type Breaker, gateJobs } from '../circuit-breaker/breaker.js';
import { createJobConsumer } from '../jobs/consume.js';
import { conflictMaxDelayMsFor, type RetryLimits } from '../jobs/retry-policy.js';
import type { LeaseStore } from '../lease/lease-store.js';
import { createLeases } from '../lease/with-lease.js';
import { newLeaseToken, random } from './random.js';
import type { Retention } from '../retention/retention-service.js';
import { createCleanupObserver } from '../telemetry/cleanup-observer.js';
import { guardLeaseStore } from '../telemetry/guarded-ports/guard-lease-store.js';
import { guardOperationLog, guardRecords } from '../telemetry/guarded-ports/guard-records.js';
import { currentTraceId } from '../telemetry/logger.js';
import type { Telemetry } from '../telemetry/metrics.js';
import { openBreaker } from './open-breaker.js';
import { type StartedEngines, startEngines } from './start-engines.js';
import type { ShutdownStack } from './shutdown-stack.js';
import type { Context } from './context.js';
import type { Database } from './connect/database.js';
import { openLeaseStore } from './connect/open-lease-store.js';
import { queueReport } from './connect/queue-store.js';

export interface WorkerParts {
  readonly database: Database;
  readonly backend: QueueStore;
  readonly telemetry: Telemetry;
  readonly retention: Retention;
}

/** Starts to take jobs, and to sweep when it is time. */
export async function startWorkers(
  context: Context,
  parts: WorkerParts,
  closing: ShutdownStack,
): Promise<Pick<StartedEngines, 'isBreakerOpen'>> {
  // The sweep worker starts first, because the cleanup worker takes the jobs that it enqueues.
  const sweeps = sweepWorker(context, parts);
  await startUnlessStopped(context, sweeps, 'sweep worker', closing);
  const { worker, isBreakerOpen } = await cleanupWorker(context, parts, closing);
  await startUnlessStopped(context, stoppingBoth(worker, sweeps), 'worker', closing);
  context.log.info({}, 'taking jobs');
  return { isBreakerOpen };
}

interface CleanupWorker extends Pick<StartedEngines, 'isBreakerOpen'> {
  readonly worker: QueueWorker;
}

async function cleanupWorker(context: Context, parts: WorkerParts, closing: ShutdownStack): Promise<CleanupWorker> {
  const { config, log, clock } = context;
  const { database, backend, telemetry } = parts;
  const observer = createCleanupObserver({ log, metrics: telemetry.metrics });
  const breaker = openBreaker(context, telemetry, closing);
  const leaseStore = await openLeaseStore(context, database, closing);
  const started = await startEngines(context, { database, telemetry, breaker }, closing);
  const { engines, gate, shut, isBreakerOpen } = started;
  const cleanup = createCleanup(context, telemetry, { database, leaseStore, observer, breaker, engines });
  const consumer = createJobConsumer({ cleanup, clock, random, traceId: currentTraceId }, retryLimits(context));
  const queue = { backend, clock, report: queueReport(log), telemetry: createQueueTelemetry() };
  const worker = createCleanupWorker(
    { ...queue, consumer: gate(gateJobs(consumer, breaker)), abandoned: consumer.abandoned },
    { concurrency: config.workerConcurrency },
  );
  // Jobs that wait for an unavailable dependency would not finish in time; they go back to the queue.
  const stop: QueueWorker['stop'] = (options) => {
    shut();
    return worker.stop(options);
  };
  return { worker: { start: worker.start, stop }, isBreakerOpen };
}

/** Both stop at once: while the queue's store is unavailable each one waits for the whole of its time. */
function stoppingBoth(worker: QueueWorker, sweeps: QueueWorker): QueueWorker {
  const stop: QueueWorker['stop'] = async (options) => {
    await Promise.all([worker.stop(options), sweeps.stop(options)]);
  };
  return { start: worker.start, stop };
}

function sweepWorker({ config, log, clock }: Context, { backend, retention }: WorkerParts): QueueWorker {
  const queue = { backend, clock, report: queueReport(log), telemetry: createQueueTelemetry() };
  return createSweepWorker(
    { ...queue, sweep: (signal) => retention.sweep({ signal }) },
    { everyMs: config.cleanupIntervalMs },
  );
}

/** Starting waits for a queue that has become unavailable since it was reached; a stop request must end that wait. */
async function startUnlessStopped(
  { config, signal }: Context,
  worker: QueueWorker,
  what: string,
  closing: ShutdownStack,
): Promise<void> {
  const stop = (): Promise<void> => worker.stop({ graceMs: config.shutdownTimeoutMs });
  const abort = (): void => void stop();
  closing.add(what, stop);
  signal.addEventListener('abort', abort, { once: true });
  await worker.start();
  signal.removeEventListener('abort', abort);
}

interface CleanupParts {
  readonly database: Database;
  readonly leaseStore: LeaseStore;
  readonly observer: CleanupObserver;
  readonly breaker: Breaker;
  readonly engines: Engines;
}

function createCleanup({ config, clock }: Context, telemetry: Telemetry, parts: CleanupParts) {
  const { database, leaseStore, observer, breaker, engines } = parts;
  const guard = { ...telemetry, breaker };
  const leasesIn = config.leaseStore === 'postgres' ? 'postgresql' : 'redis';
  const leases = createLeases(
    {
      store: guardLeaseStore(leaseStore, leasesIn, guard),
      clock,
      newToken: newLeaseToken,
      releaseFailed: observer.leaseReleaseFailed,
    },
    { ttlMs: config.leaseTtlMs },
  );
  return createCleanupService(
    {
      leases,
      records: guardRecords(database.records, guard),
      log: guardOperationLog(database.operations, guard),
      engines,
      observer,
      clock,
    },
    { retentionMs: config.retentionMs },
  );
}

function retryLimits({ config }: Context): RetryLimits {
  return {
    conflictMaxAttempts: config.conflictMaxAttempts,
    conflictMaxDelayMs: conflictMaxDelayMsFor(config.leaseTtlMs),
    retryMaxAgeMs: config.retryMaxAgeMs,
  };
}
