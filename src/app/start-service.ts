import type { QueueBackend } from '../adapters/bullmq/store/queue-store.js';
import type { ServiceRole } from '../cli/command-context.js';
import { CLEANUP_QUEUE } from '../adapters/bullmq/names.js';
import { TimeoutError, UnavailableError } from '../domain/errors.js';
import type { RecordQueries } from '../domain/pages.js';
import type { RetentionRecords, SweepLock } from '../retention/ports.js';
import type { Retention } from '../retention/retention.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { type ShutdownStack, opening } from './shutdown-stack.js';
import type { Context } from './context.js';
import { type Database, openDatabase } from './connect/database.js';
import { composeHttp, type ProcessFacts } from './http.js';
import { createLater } from './later.js';
import { openQueueBackend } from './connect/queue-store.js';
import { composeQueues, type Queues } from './connect/queue-clients.js';
import { createReadiness } from './readiness.js';
import { composeRetention, sweepObserverOf } from './retention.js';
import { startWorkers } from './start-workers.js';
import { withDeadline } from '../async/deadline.js';

interface Options {
  readonly role: ServiceRole;
  readonly telemetry: Telemetry;
  readonly facts: ProcessFacts;
}

export interface Service {
  /** Takes no more requests and jobs, lets running ones finish within the configured time, and closes everything. */
  readonly stop: () => Promise<void>;
}

/**
 * Opens everything the role needs; waits for stores that do not answer yet. HTTP answers meanwhile: an orchestrator that
 * finds nobody at home would end the process, which brings no store back.
 */
export function startService(context: Context, { role, telemetry, facts }: Options): Promise<Service> {
  return opening(context.log, async (closing) => {
    const stores = awaitedStores(context);
    const queues = composeQueues(context, stores.backend.value, closing);
    const retention = composeRetention(context, {
      records: stores.retentionRecords.value,
      lock: stores.sweepLock.value,
      queue: queues.producer,
      deadLetters: queues.deadLetters,
      observer: sweepObserverOf(context, telemetry),
    });
    const closeDoor =
      role === 'worker'
        ? undefined
        : await openDoor(context, { role, telemetry, facts, stores, queues, retention }, closing);

    const database = await openDatabase(context);
    closing.add('database', database.close);
    const backend = await openQueueBackend(context, database, closing);
    stores.arrive(database, backend);
    if (role !== 'api') await startWorkers(context, { database, backend, telemetry, retention }, closing);
    measure(context, telemetry, { queues, retention }, closing);
    return {
      stop: async () => {
        await closeDoor?.();
        await closing.closeAll();
      },
    };
  });
}

/** The stores as they will be, for parts that must answer before they have been reached. */
function awaitedStores({ config }: Context) {
  const database = (): UnavailableError =>
    new UnavailableError('postgresql', 'the database has not been reached since this service started');
  const queue = (): UnavailableError =>
    new UnavailableError('queue', "the queue's store has not been reached since this service started");
  const records = createLater<RecordQueries>({}, database);
  const retentionRecords = createLater<RetentionRecords>({}, database);
  const sweepLock = createLater<SweepLock>({}, database);
  const clock = createLater<Pick<Database, 'now'>>({}, database);
  const failedSet = createLater<QueueBackend['failedSet']>({}, queue);
  const backend = createLater<QueueBackend>({ kind: config.queueBackend, failedSet: failedSet.value }, queue);
  return {
    records,
    retentionRecords,
    sweepLock,
    clock,
    backend,
    arrive: (reached: Database, queueBackend: QueueBackend) => {
      records.arrive(reached.queries);
      retentionRecords.arrive(reached.retentionRecords);
      sweepLock.arrive(reached.sweepLock);
      clock.arrive(reached);
      failedSet.arrive(queueBackend.failedSet);
      backend.arrive(queueBackend);
    },
  };
}

interface Measured {
  readonly queues: Queues;
  readonly retention: Retention;
}

interface DoorParts extends Options {
  readonly stores: ReturnType<typeof awaitedStores>;
  readonly queues: Queues;
  readonly retention: Retention;
}

/** Listens; resolves to what closes the door again. */
async function openDoor(context: Context, parts: DoorParts, closing: ShutdownStack): Promise<() => Promise<void>> {
  const { role, telemetry, facts, stores, queues, retention } = parts;
  const checkReadiness = createReadiness(context, {
    database: stores.clock.value,
    queues,
    needsEngine: role === 'serve',
  });
  const http = { records: stores.records.value, backend: stores.backend.value, queues, retention };
  const server = composeHttp(context, { ...http, checkReadiness, telemetry, facts }, closing);
  const port = await server.listen();
  const { host } = context.config.httpAddress;
  context.log.info({ host, port, asks_for_token: context.config.apiTokens.length > 0 }, 'listening');
  return server.close;
}

/** Asked only when metrics are read, and whoever reads them wants the others also while a store is away. */
const GAUGE_LIMIT_MS = 500;

function measure(
  { clock }: Context,
  { metrics }: Telemetry,
  { queues, retention }: Measured,
  closing: ShutdownStack,
): void {
  const soon = <T>(asked: Promise<T>): Promise<T> =>
    withDeadline(
      {
        clock,
        limitMs: GAUGE_LIMIT_MS,
        late: () => new TimeoutError('the store did not answer the metrics', GAUGE_LIMIT_MS),
      },
      () => asked,
    );
  const stopCounting = metrics.watchQueue(async () =>
    Object.entries(await soon(queues.producer.counts())).map(([state, jobs]) => ({
      queue: CLEANUP_QUEUE,
      state,
      jobs,
    })),
  );
  closing.add('queue gauge', async () => stopCounting());
  const stopLag = metrics.watchRetentionLag(async () => (await soon(retention.summary())).lagMs);
  closing.add('retention gauge', async () => stopLag());
}
