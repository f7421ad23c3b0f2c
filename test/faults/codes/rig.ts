/**
 * The parts of a worker, put together as in src/app/start-workers.ts, on real services and with one job at a time. The test
 * moves the clock of the engine's deadlines by hand, and can act between two steps.
 */
import { Pool, type PoolConfig } from 'pg';
import { createDocker } from '../../../src/adapters/docker/connection.js';
import { createContainerEngine } from '../../../src/adapters/docker/container-engine.js';
import { createPostgresLeaseStore } from '../../../src/adapters/postgres/lease-store.js';
import { poolOptions } from '../../../src/adapters/postgres/pool.js';
import { createPrisma } from '../../../src/adapters/prisma/client.js';
import { createContainerLooks } from '../../../src/adapters/prisma/container-looks.js';
import { createEngineRegistry } from '../../../src/adapters/prisma/engine-registry.js';
import { createOperationLog } from '../../../src/adapters/prisma/operation-log.js';
import { createRuntimeRecords } from '../../../src/adapters/prisma/runtime-records.js';
import { createRedis, untilReady } from '../../../src/adapters/redis/connection.js';
import { createRedisLeaseStore } from '../../../src/adapters/redis/lease-store.js';
import { createCleanupService } from '../../../src/cleanup/cleanup-service.js';
import type { ContainerEngine } from '../../../src/cleanup/ports.js';
import { type Clock, systemClock } from '../../../src/async/clock.js';
import type { ErrorCode } from '../../../src/domain/error-codes.js';
import type { OperationEntry } from '../../../src/domain/operation.js';
import { DEFAULT_ENGINE } from '../../../src/domain/runtime-record.js';
import { createEngineWatch } from '../../../src/engines/engine-watch.js';
import { createEngines } from '../../../src/engines/engines.js';
import type { EngineIdentity } from '../../../src/engines/engine-ports.js';
import { createJobConsumer } from '../../../src/jobs/consume.js';
import { type AttemptHistory, type Delivery, EMPTY_HISTORY, type JobOutcome } from '../../../src/jobs/delivery.js';
import type { RetryLimits } from '../../../src/jobs/retry-policy.js';
import { createLeases } from '../../../src/lease/with-lease.js';
import { newLeaseToken } from '../../../src/app/random.js';
import { createManualClock } from '../../support/manual-clock.js';

const ENGINE_TIMEOUT_MS = 5_000;
const RETENTION_MS = 3_600_000;
/** Told beside the proxy, so that the requests of the watch do not mix with those that a fault is for. */
const IDENTITY: EngineIdentity = { engineId: 'engine-1', rootDir: '/var/lib/docker', storageDriver: 'overlay2' };

export interface RigOptions {
  readonly databaseUrl: string;
  /** As `DOCKER_HOST`. */
  readonly dockerHost: string;
  /** Leases are kept there; without it in the database. */
  readonly redisUrl?: string;
  readonly leaseTtlMs?: number;
  /** Shorter waits for the database than the program's own. */
  readonly poolLimits?: PoolConfig;
  readonly limits?: Partial<RetryLimits>;
  /** What the engine says of itself; without it an identity that all rigs have. */
  readonly identity?: EngineIdentity;
  /** The codes of the rows that one try of a job left in the operation log, read past every fault. */
  readonly loggedCodes: (jobId: string, attempt: number) => Promise<readonly string[]>;
}

/** What happens at a moment of the cleanup, before the next step. */
export interface Moments {
  readonly looked?: (signal: AbortSignal) => Promise<unknown>;
  readonly removed?: (signal: AbortSignal) => Promise<unknown>;
}

/** How one delivery of a job ended. */
export interface Ended {
  readonly jobId: string;
  readonly settlement: JobOutcome;
  readonly code: ErrorCode | undefined;
  readonly message: string;
  /** The operations that the observer received. */
  readonly concluded: readonly OperationEntry[];
  /** Rows of the operation log that could not be written. */
  readonly lostRows: number;
  readonly leasesNotReleased: number;
  readonly loggedCodes: () => Promise<readonly string[]>;
}

export interface Rig {
  readonly pool: Pool;
  readonly run: (job: Partial<Delivery>, moments?: Moments) => Promise<Ended>;
  /** For a queue's worker; the outcome goes to `endedWith`. */
  readonly consumer: ReturnType<typeof createJobConsumer>;
  readonly endedWith: (delivery: Delivery, settlement: JobOutcome) => Ended;
  /** Lets the deadline of the engine call under way pass. */
  readonly passEngineDeadline: () => Promise<void>;
  /** As if the worker had been frozen for so long: time has passed, and no timer has fired. */
  readonly standStill: (ms: number) => void;
  /** Another engine answers from now on, as far as its identity goes. */
  readonly answerAs: (identity: EngineIdentity) => void;
  readonly stop: () => Promise<void>;
}

const nothing = (): void => undefined;
const never = new AbortController().signal;

export async function openRig(options: RigOptions): Promise<Rig> {
  const pool = new Pool({
    ...poolOptions({ connectionString: options.databaseUrl, applicationName: 'rig', max: 4 }),
    ...options.poolLimits,
  });
  pool.on('error', () => undefined);
  const prisma = createPrisma(pool);
  const redis = await openRedis(options.redisUrl);
  const { clock, standStill } = createSkippingClock();
  const engineClock = createManualClock();
  const observed = createRecordingObserver();

  const docker = createDocker({ host: options.dockerHost });
  const fresh = createContainerEngine({ docker, clock: engineClock, timeoutMs: ENGINE_TIMEOUT_MS });
  const { engine, use } = createWatchedEngine(fresh);
  const store = redis === undefined ? createPostgresLeaseStore({ pool }) : createRedisLeaseStore({ redis });
  const leases = createLeases(
    { store, clock, newToken: newLeaseToken, releaseFailed: observed.observer.leaseReleaseFailed },
    { ttlMs: options.leaseTtlMs ?? 60_000, releaseTimeoutMs: 1_000 },
  );
  const records = createRuntimeRecords({ prisma });
  const log = createOperationLog({ prisma });
  let identity = options.identity ?? IDENTITY;
  const watch = createEngineWatch({
    engine: DEFAULT_ENGINE,
    probe: { identify: async () => identity },
    registry: createEngineRegistry({ prisma }),
    report: { mismatch: nothing, matched: nothing, silent: nothing, answers: nothing },
    clock,
  });
  const breaker = { tryAdmit: () => ({ release: nothing }), startCall: () => ({ answered: nothing, failed: nothing }) };
  const engines = createEngines(
    {
      engines: [
        { name: DEFAULT_ENGINE, engine, fresh, reconnect: () => undefined, watch, breaker, hasSiblings: false },
      ],
      looks: createContainerLooks({ prisma }),
      clock,
    },
    { concurrency: 1 },
  );
  const cleanup = createCleanupService(
    { leases, records, log, engines, observer: observed.observer, clock },
    { retentionMs: RETENTION_MS },
  );
  const consumer = createJobConsumer(
    { cleanup, clock, random: () => 0.5, traceId: () => '' },
    { conflictMaxAttempts: 10, conflictMaxDelayMs: 15_000, retryMaxAgeMs: 86_400_000, ...options.limits },
  );

  const endedWith: Rig['endedWith'] = ({ jobId, run }, settlement) => {
    const loggedCodes = () => options.loggedCodes(jobId, run);
    return { jobId, settlement, ...endingOf(settlement), ...observed.facts(), loggedCodes };
  };

  return {
    pool,
    consumer,
    passEngineDeadline: () => engineClock.advance(ENGINE_TIMEOUT_MS),
    standStill,
    answerAs: (other) => {
      identity = other;
    },
    run: async (job, moments = {}) => {
      const delivery = aJob(job);
      use(moments);
      observed.forget();
      return endedWith(delivery, await consumer.consume(delivery, never));
    },
    endedWith,
    stop: async () => {
      redis?.disconnect();
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

let jobs = 0;

function aJob(over: Partial<Delivery>): Delivery {
  jobs += 1;
  return {
    jobId: `job-${jobs}`,
    jobName: 'cleanup_container',
    payload: undefined,
    run: 1,
    crashes: 0,
    history: EMPTY_HISTORY,
    ...over,
  };
}

async function openRedis(url: string | undefined): Promise<ReturnType<typeof createRedis> | undefined> {
  if (url === undefined) return undefined;
  const redis = createRedis({ url, role: 'commands', onError: () => undefined });
  await untilReady(redis, 5_000, never);
  return redis;
}

/** The system's clock, which can be put forward without its timers. */
function createSkippingClock(): { clock: Clock; standStill: (ms: number) => void } {
  let skippedMs = 0;
  return {
    clock: { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + skippedMs },
    standStill: (ms) => {
      skippedMs += ms;
    },
  };
}

function createWatchedEngine(real: ContainerEngine): { engine: ContainerEngine; use: (moments: Moments) => void } {
  let moments: Moments = {};
  return {
    use: (next) => {
      moments = next;
    },
    engine: {
      look: async (containerId, signal) => {
        const state = await real.look(containerId, signal);
        await moments.looked?.(signal);
        return state;
      },
      remove: async (containerId, signal) => {
        const answer = await real.remove(containerId, signal);
        await moments.removed?.(signal);
        return answer;
      },
      labelled: real.labelled,
    },
  };
}

function createRecordingObserver() {
  let concluded: OperationEntry[] = [];
  let lostRows = 0;
  let leasesNotReleased = 0;
  return {
    observer: {
      concluded: (entry: OperationEntry) => void concluded.push(entry),
      auditRowLost: () => {
        lostRows += 1;
      },
      leaseReleaseFailed: () => {
        leasesNotReleased += 1;
      },
    },
    facts: () => ({ concluded, lostRows, leasesNotReleased }),
    forget: () => {
      concluded = [];
      lostRows = 0;
      leasesNotReleased = 0;
    },
  };
}

/** Code and message as an operator sees them in the job. */
function endingOf(settlement: JobOutcome): { code: ErrorCode | undefined; message: string } {
  switch (settlement.action) {
    case 'complete':
      return { code: settlement.result.errorCode, message: settlement.result.errorMessage };
    case 'hold':
      return { code: undefined, message: '' };
    case 'retry':
      return lastOf(settlement.history);
    case 'dead_letter':
      return { ...lastOf(settlement.history), message: settlement.reason };
  }
}

function lastOf({ attempts }: AttemptHistory): { code: ErrorCode | undefined; message: string } {
  const last = attempts.at(-1);
  return { code: last?.code, message: last?.message ?? '' };
}
