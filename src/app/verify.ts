import { createPostgresAuditQueue, createRedisAuditQueue } from '../adapters/bullmq/audit/audit-queue.js';
import { pingEngine } from '../adapters/docker/connection.js';
import { createContainerEngine } from '../adapters/docker/container-engine.js';
import { createPostgresLeaseAudit } from '../adapters/postgres/lease-audit.js';
import { lending } from '../adapters/postgres/pool.js';
import { createReadOnlyPool } from '../adapters/postgres/read-only-pool.js';
import { createAuditRecords } from '../adapters/prisma/audit-records.js';
import { createPrisma, warmUp } from '../adapters/prisma/client.js';
import { createRedisLeaseAudit } from '../adapters/redis/lease-audit.js';
import { audit, type AuditOptions } from '../audit/audit.js';
import type { AuditContainers, AuditLeases, AuditQueue, AuditRecords } from '../audit/audit-ports.js';
import type { InvariantReport } from '../audit/audit-report.js';
import { type Clock, pause } from '../async/clock.js';
import { ConfigurationError, type Dependency, messageOf, UnavailableError, TimeoutError } from '../domain/errors.js';
import { type ShutdownStack, createShutdownStack } from './shutdown-stack.js';
import type { Context } from './context.js';
import { reachDatabase } from './connect/database.js';
import { dockerOf } from './connect/engine.js';
import { connectRedis } from './connect/redis.js';
import { withDeadline, type Deadline } from '../async/deadline.js';

/** For one question; the longest of them reads a thousand records beside their rows. */
const ANSWER_LIMIT_MS = 10_000;
const ENGINE_TIMEOUT_MS = 5_000;
const CLOSE_LIMIT_MS = 1_000;
const CONNECTIONS = 4;

/**
 * Checks the invariants on whatever is configured, and changes nothing there; never rejects because a store or the engine
 * is away. Opens each of them itself: what other commands open brings tables up to date first.
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
  const database = reach(clock, 'postgresql', () => openDatabase(context, closing));
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

async function openDatabase(context: Context, closing: ShutdownStack) {
  const { log, clock } = context;
  const connectionString = await reachDatabase(context, closing);
  const settings = { connectionString, applicationName: 'runtime-cleanup verify', max: CONNECTIONS };
  const pool = createReadOnlyPool(settings, (error) =>
    log.debug({ reason: messageOf(error) }, 'idle database connection lost'),
  );
  const prisma = createPrisma(pool);
  // A server that hangs lets go of nothing, and the report is out by then.
  closing.add('database', () =>
    Promise.race([prisma.$disconnect().then(() => pool.end()), pause(clock, CLOSE_LIMIT_MS)]),
  );
  const greeting = warmUp(prisma).then(() => requireTables(pool));
  await withDeadline(answerDeadline(clock, 'postgresql'), () => greeting);
  return {
    records: createAuditRecords({ prisma }),
    leases: createPostgresLeaseAudit({ pool }),
    queue: createPostgresAuditQueue(lending(pool)),
  };
}

async function requireTables(pool: ReturnType<typeof createReadOnlyPool>): Promise<void> {
  const { rowCount } = await pool.query(`SELECT WHERE to_regclass('runtime_records') IS NOT NULL`);
  if (rowCount === 1) return;
  throw new ConfigurationError('the database has no tables of this service; "runtime-cleanup migrate" makes them');
}

type Reach<Opened> = <Answer>(ask: (opened: Opened) => Promise<Answer>) => Promise<Answer>;

/** Opens at the first question. A dependency that did not answer one is not asked again: each wait would be as long. */
function reach<Opened>(clock: Clock, dependency: Dependency, open: () => Promise<Opened>): Reach<Opened> {
  let opening: Promise<Opened> | undefined;
  let away: UnavailableError | undefined;
  return async (ask) => {
    if (away !== undefined) throw away;
    opening ??= open();
    try {
      const opened = await opening;
      return await withDeadline(answerDeadline(clock, dependency), () => ask(opened));
    } catch (error) {
      if (error instanceof UnavailableError) away = error;
      throw error;
    }
  };
}

const answerDeadline = (clock: Clock, dependency: Dependency): Deadline => ({
  clock,
  limitMs: ANSWER_LIMIT_MS,
  late: () => new TimeoutError(`${dependency} did not answer`, ANSWER_LIMIT_MS, { dependency }),
});

/** Made at the first question, so that certificates that cannot be read spoil one invariant and not all. */
function containersOf({ config, clock, signal }: Context): AuditContainers {
  const timeoutMs = Math.min(ENGINE_TIMEOUT_MS, config.dockerTimeoutMs);
  let docker: ReturnType<typeof dockerOf> | undefined;
  const asking = () => ({ docker: (docker ??= dockerOf(config)), clock, timeoutMs });
  return {
    ready: async () => void (await pingEngine({ ...asking(), signal })),
    look: (containerId, signal) => createContainerEngine(asking()).look(containerId, signal),
  };
}
