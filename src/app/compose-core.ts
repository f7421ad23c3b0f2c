/**
 * The graph that the service, the commands and the diagnoses have in common, put together once: database -> queue store
 * -> queue clients -> retention. The clients exist before the stores are reached, so that HTTP can answer meanwhile; until
 * then their calls reject with `UnavailableError`.
 */
import type { QueueStore } from '../adapters/bullmq/store/queue-store.js';
import { UnavailableError } from '../domain/errors.js';
import type { CleanupQueue } from '../jobs/ports.js';
import type { CleanupRequests, SweepObserver } from '../retention/ports.js';
import { createRetention } from '../retention/retention-service.js';
import type { Retention } from '../retention/retention-service.js';
import { type Database, openDatabase } from './connect/database.js';
import { composeQueues, type Queues } from './connect/queue-clients.js';
import { openQueueBackend } from './connect/queue-store.js';
import type { Context } from './context.js';
import {
  type ClientBackend,
  createConnection,
  type EngineAccounts,
  enginesOf,
  queriesOf,
  queueBackendOf,
  retentionRecordsOf,
} from './not-yet-connected.js';
import { createShutdownStack } from './shutdown-stack.js';
import type { RecordQueries } from '../domain/record-queries.js';
import type { Reopen } from '../cleanup/reopen.js';
import { composeReopen } from './compose-reopen.js';
import type { LeaseStore } from '../lease/lease-store.js';
import { lazyLeaseStore } from './connect/open-lease-store.js';

export interface Core {
  readonly queries: RecordQueries;
  readonly engines: EngineAccounts;
  /** The time by the database's clock. */
  readonly now: () => Promise<Date>;
  readonly nowIfWritable: () => Promise<Date>;
  readonly backend: ClientBackend;
  readonly queues: Queues;
  /** For requests of people; each worker has its own. */
  readonly leases: LeaseStore;
  readonly retention: Retention;
  readonly reopen: Reopen;
  /** @param open opens the database; without it the database is migrated where it is not up to date */
  readonly connectDatabase: (open?: (context: Context) => Promise<Database>) => Promise<Database>;
  /** The database must have been connected. */
  readonly connectQueueStore: () => Promise<QueueStore>;
  /** Closes the clients, then what was connected. */
  readonly close: () => Promise<void>;
}

const SILENT: SweepObserver = { enqueued: () => undefined, skipped: () => undefined, ended: () => undefined };

export function composeCore(context: Context, observer: SweepObserver = SILENT): Core {
  const { config, log } = context;
  const stores = createShutdownStack(log);
  const clients = createShutdownStack(log);
  const database = createConnection<Database>(notReached('postgresql', 'the database'));
  const queueStore = createConnection<QueueStore>(notReached('queue', "the queue's store"));
  const backend = queueBackendOf(queueStore.get);
  const queues = composeQueues(context, backend, clients);
  const retention = createRetention(
    {
      records: retentionRecordsOf(database.get),
      lock: { exclusively: async (work) => database.get().sweepLock.exclusively(work) },
      deadLetters: queues.deadLetters,
      requests: requestsTo(queues.producer),
      observer,
    },
    { retentionMs: config.retentionMs, maxShare: config.sweepMaxShare },
  );
  const leases = lazyLeaseStore(context, database.get, stores);
  return {
    queries: queriesOf(database.get),
    engines: enginesOf(database.get),
    now: async () => database.get().now(),
    nowIfWritable: async () => database.get().nowIfWritable(),
    backend,
    queues,
    retention,
    leases,
    reopen: composeReopen(context, { database: database.get, leases, deadLetters: queues.deadLetters }),
    connectDatabase: async (open = openDatabase) => {
      const opened = await open(context);
      stores.add('database', opened.close);
      return database.connected(opened);
    },
    connectQueueStore: async () => queueStore.connected(await openQueueBackend(context, database.get(), stores)),
    close: async () => {
      await clients.closeAll();
      await stores.closeAll();
    },
  };
}

const notReached = (dependency: 'postgresql' | 'queue', what: string) => (): UnavailableError =>
  new UnavailableError(dependency, `${what} has not been reached since this service started`);

/** The cleanups that a sweep requests, as jobs. */
export function requestsTo(queue: Pick<CleanupQueue, 'enqueue'>): CleanupRequests {
  return {
    request: async (gameIds) => {
      const jobs = await queue.enqueue(gameIds.map((gameId) => ({ gameId, opSource: 'auto_ttl' })));
      const coalesced = jobs.filter((job) => job.coalesced).length;
      return { enqueued: jobs.length - coalesced, coalesced };
    },
  };
}
