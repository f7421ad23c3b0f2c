import { identifyEngine } from '../adapters/docker/connection.js';
import { createContainerEngine } from '../adapters/docker/container-engine.js';
import type { Engines } from '../cleanup/ports.js';
import { createReopen, type Reopen } from '../cleanup/reopen.js';
import { createEngineWatch, type WatchReport } from '../engines/engine-watch.js';
import { createEngines, type ManagedEngine } from '../engines/engines.js';
import type { DeadLetters } from '../jobs/dead-letters.js';
import type { LeaseStore } from '../lease/lease-store.js';
import { createLeases } from '../lease/with-lease.js';
import { createReopenObserver } from '../telemetry/cleanup-observer.js';
import type { Database } from './connect/database.js';
import { type NamedEngine, namedEngines } from './connect/engine.js';
import type { Context } from './context.js';
import { newLeaseToken } from './random.js';

type Stores = Pick<Database, 'reopenRecords' | 'operations' | 'engines' | 'looks'>;

interface Parts {
  /** Throws an `UnavailableError` until the database is connected. */
  readonly database: () => Stores;
  readonly leases: LeaseStore;
  readonly deadLetters: Pick<DeadLetters, 'purgeAll'>;
}

/** Reopening, for the processes that take requests of people: it needs leases and engines, which no worker gives it. */
export function composeReopen(context: Context, { database, leases: store, deadLetters }: Parts): Reopen {
  const { config, log, clock } = context;
  const leases = createLeases(
    {
      store,
      clock,
      newToken: newLeaseToken,
      releaseFailed: (gameId, cause) => log.warn({ game_id: gameId, err: cause }, 'lease release failed'),
    },
    { ttlMs: config.leaseTtlMs },
  );
  return createReopen({
    leases,
    records: {
      find: async (gameId) => database().reopenRecords.find(gameId),
      reopen: async (read, as, entry) => database().reopenRecords.reopen(read, as, entry),
    },
    log: { append: async (entry) => database().operations.append(entry) },
    engines: { take: async (name, signal) => enginesFor(context, name, database()).take(name, signal) },
    purgeDeadLetters: async (gameId, signal) => (await deadLetters.purgeAll({ gameId }, { signal })).done,
    observer: createReopenObserver({ log }),
    clock,
  });
}

const nothing = (): void => undefined;

/** The answer takes an engine milliseconds. */
const IDENTIFY_LIMIT_MS = 1_500;

/**
 * The engine of one request. It is made anew for each, so that each request asks the engine who it is; a request of a
 * person is rare, and a watch that runs for years to serve it would cost more.
 */
function enginesFor(context: Context, name: string, database: Stores): Engines {
  const engines = namedEngines(context.config)
    .filter((engine) => engine.name === name)
    .map((engine) => managed(context, engine, database));
  return createEngines({ engines, looks: database.looks, clock: context.clock }, { concurrency: 1 });
}

function managed({ config, clock }: Context, { name, connect }: NamedEngine, { engines }: Stores): ManagedEngine {
  const docker = connect({ connections: 'fresh' });
  const engine = createContainerEngine({ docker, clock, timeoutMs: config.dockerTimeoutMs });
  const timeoutMs = Math.min(IDENTIFY_LIMIT_MS, config.dockerTimeoutMs);
  return {
    name,
    engine,
    fresh: engine,
    reconnect: () => undefined,
    watch: createEngineWatch({
      engine: name,
      probe: { identify: (signal) => identifyEngine({ docker, clock, timeoutMs, signal }) },
      registry: engines,
      report: SILENT,
      clock,
    }),
    // There is no outage to count: the person who asks gets the failure.
    breaker: { tryAdmit: () => ({ release: nothing }), startCall: () => ({ answered: nothing, failed: nothing }) },
    hasSiblings: false,
  };
}

/** The refusal says what the watch found. */
const SILENT: WatchReport = { mismatch: nothing, matched: nothing, silent: nothing, answers: nothing };
