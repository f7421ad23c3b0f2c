import type { QueueBackend } from '../adapters/bullmq/store/queue-store.js';
import { createQueueTelemetry } from '../adapters/bullmq/worker/otel.js';
import { createSweepWorker, type SweepWorker } from '../adapters/bullmq/sweeps/sweep-worker.js';
import { type CleanupWorker, createCleanupWorker } from '../adapters/bullmq/worker/cleanup-worker.js';
import { createRedisLeaseStore } from '../adapters/redis/lease-store.js';
import { createCleanupService } from '../cleanup/cleanup-service.js';
import type { CleanupObserver } from '../cleanup/ports.js';
import type { Breaker } from '../circuit-breaker/breaker.js';
import { createJobConsumer } from '../jobs/consume.js';
import { gateJobs } from '../circuit-breaker/gate-jobs.js';
import { conflictMaxDelayMsFor, type RetryLimits } from '../jobs/retry-policy.js';
import type { LeaseStore } from '../lease/lease-store.js';
import { createLeases } from '../lease/with-lease.js';
import { newLeaseToken, random } from './random.js';
import type { Retention } from '../retention/retention.js';
import { createCleanupObserver } from '../telemetry/cleanup-observer.js';
import { currentTraceId } from '../telemetry/current-trace.js';
import { observeEngine } from '../telemetry/traced-ports/engine.js';
import { observeLeaseStore } from '../telemetry/traced-ports/lease-store.js';
import { observeRecords } from '../telemetry/traced-ports/records.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { openBreaker, watchEngine, watchLeaseStore, watchOperations, watchRecords } from './open-breaker.js';
import type { ShutdownStack } from './shutdown-stack.js';
import type { Context } from './context.js';
import type { Database } from './connect/database.js';
import { greetEngine, openEngine } from './connect/engine.js';
import { queueReport } from './connect/queue-store.js';
import { connectRedis } from './connect/redis.js';

export interface WorkerParts {
  readonly database: Database;
  readonly backend: QueueBackend;
  readonly telemetry: Telemetry;
  readonly retention: Retention;
}

/** Starts to take jobs, and to sweep when it is time. */
export async function startWorkers(context: Context, parts: WorkerParts, closing: ShutdownStack): Promise<void> {
  await greetEngine(context);
  // The sweeps' worker stands up first and is stopped last: what it enqueues, the other one takes.
  await startUnlessStopped(context, sweepWorker(context, parts), 'sweep worker', closing);
  await startUnlessStopped(context, await cleanupWorker(context, parts, closing), 'worker', closing);
  context.log.info({}, 'taking jobs');
}

async function cleanupWorker(context: Context, parts: WorkerParts, closing: ShutdownStack): Promise<CleanupWorker> {
  const { config, log, clock } = context;
  const { database, backend, telemetry } = parts;
  const observer = createCleanupObserver({ log, metrics: telemetry.metrics });
  const breaker = openBreaker(context, telemetry, closing);
  const leaseStore = await openLeaseStore(context, database, closing);
  const cleanup = createCleanup(context, telemetry, { database, leaseStore, observer, breaker });
  const consumer = createJobConsumer({ cleanup, clock, random, traceId: currentTraceId }, retryLimits(context));
  const queue = { backend, clock, report: queueReport(log), telemetry: createQueueTelemetry() };
  const worker = createCleanupWorker(
    { ...queue, consumer: gateJobs(consumer, breaker), gaveUp: consumer.gaveUp },
    { concurrency: config.workerConcurrency },
  );
  // Jobs that wait for a dependency are not worth waiting for.
  const stop: CleanupWorker['stop'] = (options) => {
    breaker.shut();
    return worker.stop(options);
  };
  return { start: worker.start, stop };
}

function sweepWorker({ config, log, clock }: Context, { backend, retention }: WorkerParts): SweepWorker {
  const queue = { backend, clock, report: queueReport(log), telemetry: createQueueTelemetry() };
  return createSweepWorker(
    { ...queue, sweep: (signal) => retention.sweep({ signal }) },
    { everyMs: config.cleanupIntervalMs },
  );
}

/** A queue that went away since it was reached is waited for; whoever asks us to stop meanwhile must be heard. */
async function startUnlessStopped(
  { config, signal }: Context,
  worker: CleanupWorker | SweepWorker,
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
}

function createCleanup({ config, clock }: Context, telemetry: Telemetry, parts: CleanupParts) {
  const { database, leaseStore, observer, breaker } = parts;
  const leasesIn = config.leaseStore === 'postgres' ? 'postgresql' : 'redis';
  const leases = createLeases(
    {
      store: observeLeaseStore(watchLeaseStore(leaseStore, leasesIn, breaker), telemetry),
      clock,
      newToken: newLeaseToken,
      releaseFailed: observer.leaseReleaseFailed,
    },
    { ttlMs: config.leaseTtlMs },
  );
  return createCleanupService(
    {
      leases,
      records: observeRecords(watchRecords(database.records, breaker), telemetry),
      log: watchOperations(database.operations, breaker),
      engine: observeEngine(watchEngine(openEngine(config, clock), breaker), telemetry),
      observer,
      clock,
    },
    { retentionMs: config.retentionMs },
  );
}

async function openLeaseStore(context: Context, database: Database, closing: ShutdownStack): Promise<LeaseStore> {
  if (context.config.leaseStore === 'postgres') return database.leaseStore;
  return createRedisLeaseStore({ redis: await connectRedis(context, 'commands', closing) });
}

function retryLimits({ config }: Context): RetryLimits {
  return {
    conflictMaxAttempts: config.conflictMaxAttempts,
    conflictMaxDelayMs: conflictMaxDelayMsFor(config.leaseTtlMs),
    retryMaxAgeMs: config.retryMaxAgeMs,
  };
}
