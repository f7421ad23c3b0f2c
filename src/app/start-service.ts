import { CLEANUP_QUEUE } from '../adapters/bullmq/names.js';
import type { HttpServer } from '../adapters/http/http-ports.js';
import { requireRights } from '../adapters/postgres/rights.js';
import { withDeadline } from '../async/deadline.js';
import type { ServiceRole } from '../cli/command-context.js';
import { TimeoutError } from '../domain/errors.js';
import type { Metrics, Telemetry } from '../telemetry/metrics.js';
import { createSweepObserver } from '../telemetry/sweep-observer.js';
import { composeCore, type Core } from './compose-core.js';
import { type Database, storesInPostgres } from './connect/database.js';
import type { Context } from './context.js';
import type { ProcessFacts } from './http.js';
import { createReadiness } from './readiness.js';
import type { BreakerView } from './start-engines.js';
import { openAllOrNone, type ShutdownStack } from './shutdown-stack.js';
import { startWorkers } from './start-workers.js';
import { waitForDependency } from './wait-for-dependency.js';

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
 * Opens everything the role needs; waits for stores that do not answer yet. HTTP listens before they are connected:
 * otherwise the liveness probe would fail, and an orchestrator would restart the process in a loop.
 */
export function startService(context: Context, options: Options): Promise<Service> {
  const { role, telemetry } = options;
  const { metrics } = telemetry;
  return openAllOrNone(context.log, async (closing) => {
    const core = composeCore(context, createSweepObserver({ log: context.log, metrics }));
    closing.add('stores', core.close);
    // Known once the workers run; a process without workers has no breakers.
    let isBreakerOpen: BreakerView = () => undefined;
    const view: BreakerView = (engine) => isBreakerOpen(engine);
    const server = role === 'worker' ? undefined : await listen(context, { ...options, core, view }, closing);

    const database = await core.connectDatabase();
    const backend = await core.connectQueueStore();
    await checkRights(context, database, role);
    const { retention } = core;
    if (role !== 'api') {
      ({ isBreakerOpen } = await startWorkers(context, { database, backend, telemetry, retention }, closing));
    }
    observeStores(context, metrics, core, closing);
    return {
      stop: async () => {
        await server?.close();
        await closing.closeAll();
      },
    };
  });
}

/** A right that is missing would be noticed by the first job that needs it; so the start is refused instead. */
async function checkRights(context: Context, { pool }: Pick<Database, 'pool'>, role: ServiceRole): Promise<void> {
  const stores = storesInPostgres(context.config);
  await waitForDependency(context, 'the database', () =>
    requireRights(pool, role === 'api' ? 'api' : 'worker', stores),
  );
}

async function listen(
  context: Context,
  { role, telemetry, facts, core, view }: Options & { readonly core: Core; readonly view: BreakerView },
  closing: ShutdownStack,
): Promise<HttpServer> {
  // Loaded only by the roles that listen: workers and commands start sooner without Fastify and the dashboard.
  const { composeHttp } = await import('./http.js');
  const checkReadiness = createReadiness(context, core, { needsEngine: role === 'serve' });
  const server = composeHttp(context, { core, checkReadiness, isBreakerOpen: view, telemetry, facts }, closing);
  const port = await server.listen();
  const { host } = context.config.httpAddress;
  context.log.info({ host, port, asks_for_token: context.config.apiTokens.length > 0 }, 'listening');
  return server;
}

/** The stores are asked whenever the metrics are read; the other metrics must be readable while a store is unavailable. */
const GAUGE_LIMIT_MS = 500;

function observeStores(
  { clock }: Context,
  { observeQueue, observeRetentionLag }: Pick<Metrics, 'observeQueue' | 'observeRetentionLag'>,
  { queues, retention }: Core,
  closing: ShutdownStack,
): void {
  const late = (): TimeoutError => new TimeoutError('the store did not answer the metrics', GAUGE_LIMIT_MS);
  const inTime = <T>(asked: Promise<T>): Promise<T> =>
    withDeadline({ clock, limitMs: GAUGE_LIMIT_MS, late }, () => asked);
  const stopCounting = observeQueue(async () =>
    Object.entries(await inTime(queues.producer.counts())).map(([state, jobs]) => ({
      queue: CLEANUP_QUEUE,
      state,
      jobs,
    })),
  );
  closing.add('queue gauge', async () => stopCounting());
  const stopLag = observeRetentionLag(async () => (await inTime(retention.summary())).lagMs);
  closing.add('retention gauge', async () => stopLag());
}
