import type { QueueBackend } from '../adapters/bullmq/backend.js';
import { CLEANUP_QUEUE } from '../adapters/bullmq/names.js';
import { createQueueTelemetry } from '../adapters/bullmq/otel.js';
import { createCleanupQueue } from '../adapters/bullmq/producer.js';
import { type CleanupWorker, createCleanupWorker } from '../adapters/bullmq/worker.js';
import { createRedisLeaseStore } from '../adapters/redis/lease-store.js';
import { createCleanupService } from '../cleanup/cleanup-service.js';
import type { CleanupObserver } from '../cleanup/ports.js';
import { createJobConsumer } from '../jobs/consume.js';
import { conflictMaxDelayMsFor, conflictPatienceMs, type RetryLimits } from '../jobs/policy.js';
import type { LeaseStore } from '../lease/ports.js';
import { createLeases } from '../lease/with-lease.js';
import { newLeaseToken, random } from '../random.js';
import { createCleanupObserver } from '../telemetry/cleanup-observer.js';
import { currentTraceId } from '../telemetry/current-trace.js';
import { observeEngine } from '../telemetry/observe-engine.js';
import { observeLeaseStore } from '../telemetry/observe-lease-store.js';
import { observeRecords } from '../telemetry/observe-records.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { type Closing, opening } from './closing.js';
import type { Context } from './context.js';
import { type Database, openDatabase } from './database.js';
import { greetEngine, openEngine } from './engine.js';
import { openQueueBackend, queueReport } from './queue.js';
import { connectRedis } from './redis.js';

export interface Worker {
  /** Takes no more jobs, lets running ones finish within the configured time, hands the rest back, closes everything. */
  readonly stop: () => Promise<void>;
}

/** Opens everything a worker needs and starts to take jobs; waits for stores that do not answer yet. */
export function startWorker(context: Context, telemetry: Telemetry): Promise<Worker> {
  const { config, log, clock } = context;
  return opening(log, async (closing) => {
    const database = await openDatabase(context);
    closing.add('database', database.close);
    const backend = await openQueueBackend(context, database, closing);
    const observer = createCleanupObserver({ log, metrics: telemetry.metrics });
    const leaseStore = await openLeaseStore(context, database, closing);
    const cleanup = createCleanup(context, telemetry, { database, leaseStore, observer });
    const consumer = createJobConsumer({ cleanup, clock, random, traceId: currentTraceId }, retryLimits(context));
    const worker = createCleanupWorker(
      {
        backend,
        consumer,
        gaveUp: consumer.gaveUp,
        clock,
        report: queueReport(log),
        telemetry: createQueueTelemetry(),
      },
      { concurrency: config.workerConcurrency },
    );
    closing.add('worker', () => worker.stop({ graceMs: config.shutdownTimeoutMs }));
    await greetEngine(context);
    await startUnlessStopped(context, worker);
    measureQueue(context, backend, telemetry, closing);
    return { stop: closing.closeAll };
  });
}

/** A queue that went away since it was reached is waited for; whoever asks us to stop meanwhile must be heard. */
async function startUnlessStopped({ config, signal }: Context, worker: CleanupWorker): Promise<void> {
  const stop = (): void => void worker.stop({ graceMs: config.shutdownTimeoutMs });
  signal.addEventListener('abort', stop, { once: true });
  await worker.start();
  signal.removeEventListener('abort', stop);
}

/** Asked only when metrics are read, which is never unless somebody exports them. */
function measureQueue({ log, clock }: Context, backend: QueueBackend, telemetry: Telemetry, closing: Closing): void {
  const queue = createCleanupQueue({ backend, clock, report: queueReport(log) });
  closing.add('queue counts', queue.close);
  const stop = telemetry.metrics.watchQueue(async () =>
    Object.entries(await queue.counts()).map(([state, jobs]) => ({ queue: CLEANUP_QUEUE, state, jobs })),
  );
  closing.add('queue gauge', async () => stop());
}

interface CleanupParts {
  readonly database: Database;
  readonly leaseStore: LeaseStore;
  readonly observer: CleanupObserver;
}

function createCleanup({ config, clock }: Context, telemetry: Telemetry, parts: CleanupParts) {
  const { database, leaseStore, observer } = parts;
  const leases = createLeases(
    {
      store: observeLeaseStore(leaseStore, telemetry),
      clock,
      newToken: newLeaseToken,
      releaseFailed: observer.leaseReleaseFailed,
    },
    { ttlMs: config.leaseTtlMs },
  );
  return createCleanupService(
    {
      leases,
      records: observeRecords(database.records, telemetry),
      log: database.operations,
      engine: observeEngine(openEngine(config, clock), telemetry),
      observer,
      clock,
    },
    { retentionMs: config.retentionMs },
  );
}

async function openLeaseStore(context: Context, database: Database, closing: Closing): Promise<LeaseStore> {
  if (context.config.leaseStore === 'postgres') return database.leaseStore;
  return createRedisLeaseStore({ redis: await connectRedis(context, 'commands', closing) });
}

function retryLimits({ config, log }: Context): RetryLimits {
  const limits = {
    conflictMaxAttempts: config.conflictMaxAttempts,
    conflictMaxDelayMs: conflictMaxDelayMsFor(config.leaseTtlMs),
    retryMaxAgeMs: config.retryMaxAgeMs,
  };
  const patienceMs = conflictPatienceMs(limits);
  if (patienceMs <= config.leaseTtlMs) {
    log.warn(
      { patience_ms: patienceMs, lease_ttl_ms: config.leaseTtlMs },
      'conflicts become dead letters sooner than a lease left by a crash runs out; raise RTMANAGER_CONFLICT_MAX_ATTEMPTS or lower RTMANAGER_GAME_LEASE_TTL_SECONDS',
    );
  }
  return limits;
}
