/** What an operator's commands do, without a process for each: the program's own parts, straight at a site's stores. */
import { createShutdownStack } from '../../../src/app/shutdown-stack.js';
import type { Context } from '../../../src/app/context.js';
import { openDatabase } from '../../../src/app/connect/database.js';
import { openQueueBackend } from '../../../src/app/connect/queue-store.js';
import { composeQueues } from '../../../src/app/connect/queue-clients.js';
import { composeRetention } from '../../../src/app/retention.js';
import { systemClock } from '../../../src/async/clock.js';
import { readConfig } from '../../../src/config/config.js';
import type { DeadLetters } from '../../../src/jobs/dead-letters.js';
import type { CleanupQueue } from '../../../src/jobs/ports.js';
import type { Holds } from '../../../src/retention/holds.js';
import type { Retention } from '../../../src/retention/retention.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import type { Site } from './site.js';

export interface OperatorCommands {
  readonly queue: CleanupQueue;
  readonly deadLetters: DeadLetters;
  readonly holds: Holds;
  readonly retention: Retention;
  readonly close: () => Promise<void>;
}

const PATIENCE_MS = 30_000;

export async function openOperatorCommands({ straight }: Pick<Site, 'straight'>): Promise<OperatorCommands> {
  const log = createLogger({ level: 'silent', name: 'laboratory' });
  const context: Context = {
    config: readConfig(straight),
    log,
    clock: systemClock,
    patienceMs: PATIENCE_MS,
    signal: new AbortController().signal,
  };
  const closing = createShutdownStack(log);
  const database = await openDatabase(context);
  closing.add('database', database.close);
  const backend = await openQueueBackend(context, database, closing);
  const { producer, deadLetters } = composeQueues(context, backend, closing);
  const retention = composeRetention(context, {
    records: database.retentionRecords,
    lock: database.sweepLock,
    queue: producer,
    deadLetters,
    observer: { enqueued: () => undefined, skipped: () => undefined, ended: () => undefined },
  });
  return { queue: producer, deadLetters, holds: database.holds, retention, close: closing.closeAll };
}
