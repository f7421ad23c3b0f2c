import { createPostgresAuditQueue, createRedisAuditQueue } from '../adapters/bullmq/audit/audit-queue.js';
import { pingEngine } from '../adapters/docker/connection.js';
import { createContainerEngine } from '../adapters/docker/container-engine.js';
import { createPostgresLeaseAudit } from '../adapters/postgres/lease-audit.js';
import { lending } from '../adapters/postgres/pool.js';
import { createReadOnlyPool } from '../adapters/postgres/read-only-pool.js';
import { createAuditRecords } from '../adapters/prisma/audit-records.js';
import { warmUp } from '../adapters/prisma/client.js';
import { createRedisLeaseAudit } from '../adapters/redis/lease-audit.js';
import { audit, type AuditOptions } from '../audit/audit.js';
import type { AuditContainers, AuditLeases, AuditQueue, AuditRecords } from '../audit/audit-ports.js';
import type { InvariantReport } from '../audit/audit-report.js';
import { type Clock, pause } from '../async/clock.js';
import { ConfigurationError, type Dependency, TimeoutError, UnavailableError } from '../domain/errors.js';
import { type ShutdownStack, createShutdownStack } from './shutdown-stack.js';
import type { Context } from './context.js';
import { connectPool, reachDatabase } from './connect/database.js';
import { dockerOf } from './connect/engine.js';
import { connectRedis } from './connect/redis.js';
import { withDeadline, type Deadline } from '../async/deadline.js';

/** For one question; the longest reads a thousand records and their rows of the operation log. */
const ANSWER_LIMIT_MS = 10_000;
const ENGINE_TIMEOUT_MS = 5_000;
const CLOSE_LIMIT_MS = 1_000;
const CONNECTIONS = 4;

/**
 * Checks the invariants on the configured stores and engine, and changes nothing there; an unavailable one makes its
 * invariants `unknown`, and never rejects. The graph of the other commands is not used: it migrates the database, it
 * writes, and it must reach all stores.
 */
export async function* verifyInvariants(
  context: Context,
  options: Omit<AuditOptions, 'signal'> = {},
): AsyncGenerator<InvariantReport> {
  const closing = createShutdownStack(context.log);
  try {
    const { clock, signal } = context;
    yield* audit(
      { ...composeStores(context, closing), containers: containersOf(context), clock },
      { ...options, signal },
    );
  } finally {
    await closing.closeAll();
  }
}

interface Stores {
  readonly records: AuditRecords;
  readonly leases: AuditLeases;
  readonly queue: AuditQueue;
}

function composeStores(context: Context, closing: ShutdownStack): Stores {
  const { config, clock } = context;
  const database = reach(clock, 'postgresql', () => connectDatabase(context, closing));
  const redis = reach(clock, 'redis', async () => {
    const client = await connectRedis(context, 'commands', closing);
    return { leases: createRedisLeaseAudit(client), queue: createRedisAuditQueue(client) };
  });
  const leases = config.leaseStore === 'redis' ? redis : database;
  const queue = config.queueBackend === 'redis' ? redis : database;
  return {
    records: {
      page: (query) => database(({ records }) => records.page(query)),
      countRemoved: (gameId) => database(({ records }) => records.countRemoved(gameId)),
      withoutFailureRow: (jobs) => database(({ records }) => records.withoutFailureRow(jobs)),
    },
    leases: { page: (after) => leases((store) => store.leases.page(after)) },
    queue: {
      unlocked: () => queue((store) => store.queue.unlocked()),
      deadLetters: (after, limit) => queue((store) => store.queue.deadLetters(after, limit)),
      deadLetter: (jobId) => queue((store) => store.queue.deadLetter(jobId)),
    },
  };
}

async function connectDatabase(context: Context, closing: ShutdownStack) {
  const { clock } = context;
  const connectionString = await reachDatabase(context, closing);
  const settings = { connectionString, applicationName: 'runtime-cleanup verify', max: CONNECTIONS };
  const { pool, prisma } = connectPool(context, { ...settings, open: createReadOnlyPool }, bounded(clock, closing));
  await withDeadline(answerDeadline(clock, 'postgresql'), () => warmUp(prisma).then(() => requireTables(pool)));
  return {
    records: createAuditRecords({ prisma }),
    leases: createPostgresLeaseAudit({ pool }),
    queue: createPostgresAuditQueue(lending(pool)),
  };
}

/** A server that hangs lets no connection be closed, and the report is complete by then. */
const bounded = (clock: Clock, closing: ShutdownStack): Pick<ShutdownStack, 'add'> => ({
  add: (what, close) => closing.add(what, () => Promise.race([close(), pause(clock, CLOSE_LIMIT_MS)])),
});

async function requireTables(pool: ReturnType<typeof createReadOnlyPool>): Promise<void> {
  const { rowCount } = await pool.query(`SELECT WHERE to_regclass('runtime_records') IS NOT NULL`);
  if (rowCount === 1) return;
  throw new ConfigurationError('the database has no tables of this service; "runtime-cleanup migrate" makes them');
}

type Reach<Opened> = <Answer>(ask: (opened: Opened) => Promise<Answer>) => Promise<Answer>;

/** Opens the store at the first question. A store that did not answer is not asked again: each wait would be as long. */
function reach<Opened>(clock: Clock, dependency: Dependency, open: () => Promise<Opened>): Reach<Opened> {
  let opened: Promise<Opened> | undefined;
  let unavailable: UnavailableError | undefined;
  return async (ask) => {
    if (unavailable !== undefined) throw unavailable;
    opened ??= open();
    try {
      const store = await opened;
      return await withDeadline(answerDeadline(clock, dependency), () => ask(store));
    } catch (error) {
      if (error instanceof UnavailableError) unavailable = error;
      throw error;
    }
  };
}

const answerDeadline = (clock: Clock, dependency: Dependency): Deadline => ({
  clock,
  limitMs: ANSWER_LIMIT_MS,
  late: () => new TimeoutError(`${dependency} did not answer`, ANSWER_LIMIT_MS, { dependency }),
});

/** The client is made at the first question, so that certificates that cannot be read affect one invariant and not all. */
function containersOf({ config, clock, signal }: Context): AuditContainers {
  const timeoutMs = Math.min(ENGINE_TIMEOUT_MS, config.dockerTimeoutMs);
  let docker: ReturnType<typeof dockerOf> | undefined;
  const asking = () => ({ docker: (docker ??= dockerOf(config)), clock, timeoutMs });
  return {
    ready: async () => void (await pingEngine({ ...asking(), signal })),
    look: (containerId, signal) => createContainerEngine(asking()).look(containerId, signal),
  };
}
