/** What every measurement uses: a separate embedded PostgreSQL, and the queue that the environment selects. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { QueueBackend } from '../src/adapters/bullmq/store/queue-store.js';
import { type ShutdownStack, createShutdownStack } from '../src/app/shutdown-stack.js';
import type { Context } from '../src/app/context.js';
import { composeCore } from '../src/app/compose-core.js';
import type { Database } from '../src/app/connect/database.js';
import type { Queues } from '../src/app/connect/queue-clients.js';
import { systemClock } from '../src/async/clock.js';
import { readConfig } from '../src/config/config.js';
import type { Environment } from '../src/config/environment.js';
import { ConfigurationError } from '../src/domain/errors.js';
import { createLogger } from '../src/telemetry/logger.js';

export interface Stores {
  readonly context: Context;
  readonly database: Database;
  readonly backend: QueueBackend;
  readonly queues: Queues;
  /** For what the measurement opens in addition. */
  readonly closing: ShutdownStack;
}

/** Opens the stores, measures, and removes everything. Refuses a queue that is in use. */
export async function onStores(measure: (stores: Stores) => Promise<void>, settings: Environment = {}): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'runtime-cleanup-bench-'));
  await chmod(dataDir, 0o755);
  const { REDIS_URL } = process.env;
  const config = readConfig({ RTMANAGER_DATA_DIR: join(dataDir, 'data'), REDIS_URL, ...settings });
  const log = createLogger({ level: 'warn', name: 'bench' });
  const signal = new AbortController().signal;
  const context: Context = { config, log, clock: systemClock, patienceMs: 20_000, signal };
  const closing = createShutdownStack(log);
  closing.add('data', () => rm(dataDir, { recursive: true, force: true }));
  try {
    const core = composeCore(context);
    closing.add('stores', core.close);
    const database = await core.connectDatabase();
    const backend = await core.connectQueueStore();
    const { queues } = core;
    const { waiting, delayed, active, failed } = await queues.producer.counts();
    if (waiting + delayed + active + failed > 0)
      throw new ConfigurationError('this queue is in use; measure on another one');
    await measure({ context, database, backend, queues, closing });
  } finally {
    await closing.closeAll();
  }
}

export const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

/** How many seconds the work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return (performance.now() - startedMs) / 1_000;
}

export const shownSeconds = (seconds: number): string =>
  seconds < 1 ? `${Math.round(seconds * 1_000)} ms` : `${seconds.toFixed(1)} s`;
