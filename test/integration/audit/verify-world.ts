/** Stores of either kind with a past that is sound, an engine, and the ways to spoil each. */
import { randomBytes } from 'node:crypto';
import { createPostgresBackend, Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { inject } from 'vitest';
import { migrateQueueTables } from '../../../src/adapters/bullmq/store/queue-tables.js';
import { createRuntimeRecords } from '../../../src/adapters/prisma/runtime-records.js';
import { createOperationLog } from '../../../src/adapters/prisma/operation-log.js';
import { verifyInvariants } from '../../../src/app/verify.js';
import type { InvariantName, InvariantReport } from '../../../src/audit/audit-report.js';
import { systemClock } from '../../../src/async/clock.js';
import { readConfig } from '../../../src/config/config.js';
import type { ErrorCode } from '../../../src/domain/error-codes.js';
import type { OperationEntry } from '../../../src/domain/operation.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { openRecordsDatabase, type RecordsDatabase } from '../../support/postgres/records-database.js';
import { aRecord } from '../../support/records.js';
import { startRedis, type TestRedis } from '../../support/redis.js';

export type Reports = Readonly<Record<InvariantName, InvariantReport>>;
export type Environment = Readonly<Record<string, string>>;

export const aContainerId = (): string => randomBytes(32).toString('hex');

const anEntry = (over: Partial<OperationEntry>): OperationEntry => ({
  gameId: 'game-1',
  opKind: 'cleanup_container',
  opSource: 'admin_rest',
  sourceRef: '',
  imageRef: '',
  containerId: '',
  outcome: 'success',
  errorCode: '',
  errorMessage: '',
  elapsedMs: 5,
  jobId: '1',
  attempt: 1,
  removal: 'removed',
  engine: 'default',
  actor: '',
  ...over,
});

export interface VerifyWorld {
  readonly database: RecordsDatabase;
  readonly redis: { readonly server: TestRedis; readonly client: Redis } | undefined;
  /** A plain client of the work queue. */
  readonly queue: Queue;
  readonly environment: Environment;
  /** A record that the product itself has removed, with its row. */
  readonly removed: (gameId: string, containerId?: string) => Promise<void>;
  readonly stopped: (gameId: string, containerId: string) => Promise<void>;
  /** A row of the operation log as the product writes one by itself. */
  readonly logged: (entry: Partial<OperationEntry>) => Promise<void>;
  /** A job of the work queue in that state, put there by hand. */
  readonly activeWithoutWorker: (gameId: string) => Promise<string>;
  readonly failed: (gameId: string, reason: string) => Promise<string>;
  readonly verify: (options?: { readonly gameId?: string; readonly over?: Environment }) => Promise<Reports>;
  readonly clear: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function createVerifyWorld(store: 'redis' | 'postgres'): Promise<VerifyWorld> {
  const database = await openRecordsDatabase();
  const { pool, prisma, url } = database;
  const server = store === 'redis' ? await startRedis() : undefined;
  const redis = server === undefined ? undefined : { server, client: new Redis(server.url) };
  if (redis === undefined) await migrateTables(database);
  const queue = plainQueue(url, server);
  const records = createRuntimeRecords({ prisma });
  const environment = {
    DATABASE_URL: url,
    DOCKER_HOST: `unix://${inject('engineSocket')}`,
    ...(server === undefined ? {} : { REDIS_URL: server.url }),
  };
  const stopped = (gameId: string, containerId: string) =>
    database.put(aRecord({ gameId, currentContainerId: containerId, leaseEpoch: 0n }));
  const moved = redis === undefined ? movedInPostgres(database) : movedInRedis(redis.client);

  return {
    database,
    redis,
    queue,
    environment,
    stopped,
    removed: async (gameId, containerId = aContainerId()) => {
      await stopped(gameId, containerId);
      const taken = await records.take(gameId);
      if (taken === undefined) throw new Error(`no record of ${gameId}`);
      const { status } = await records.markRemoved(taken.record, anEntry({ gameId, containerId }));
      if (status !== 'marked') throw new Error(`${gameId} is ${status}`);
    },
    logged: (entry) => createOperationLog({ prisma }).append(anEntry(entry)),
    activeWithoutWorker: (gameId) => added(queue, gameId, moved.toActive),
    failed: (gameId, reason) => added(queue, gameId, (jobId) => moved.toFailed(jobId, reason)),
    verify: ({ gameId, over = {} } = {}) => verified({ ...environment, ...over }, gameId),
    clear: async () => {
      await database.clear();
      await pool.query('TRUNCATE game_leases, engines, container_looks');
      await (redis === undefined ? pool.query('TRUNCATE bullmq.job CASCADE') : redis.client.flushall());
    },
    close: async () => {
      await queue.close();
      redis?.client.disconnect();
      await server?.stop();
      await database.close();
    },
  };
}

async function verified(environment: Environment, gameId: string | undefined): Promise<Reports> {
  const context = {
    config: readConfig(environment),
    log: createLogger({ name: 'verify-test', level: 'silent' }),
    clock: systemClock,
    patienceMs: 1_000,
    signal: new AbortController().signal,
  };
  const reports: Partial<Record<InvariantName, InvariantReport>> = {};
  for await (const report of verifyInvariants(context, { gameId, patienceMs: 1_500 })) reports[report.name] = report;
  return reports as Reports;
}

async function migrateTables({ pool }: RecordsDatabase): Promise<void> {
  const client = await pool.connect();
  try {
    await migrateQueueTables(client);
  } finally {
    client.release();
  }
}

function plainQueue(url: string, server: TestRedis | undefined): Queue {
  if (server !== undefined)
    return new Queue('runtime-cleanup', { connection: { url: server.url }, prefix: '{rtmanager}' });
  const connection = { connectionString: url, schema: 'bullmq', max: 2 };
  return new Queue('runtime-cleanup', { connection }, createPostgresBackend) as unknown as Queue;
}

async function added(queue: Queue, gameId: string, move: (jobId: string) => Promise<unknown>): Promise<string> {
  const { id = '' } = await queue.add('cleanup_container', { gameId, opSource: 'admin_rest' });
  await move(id);
  return id;
}

const KEY = '{rtmanager}:runtime-cleanup';

const movedInRedis = (redis: Redis) => ({
  toActive: async (jobId: string) => {
    await redis.lrem(`${KEY}:wait`, 0, jobId);
    await redis.lpush(`${KEY}:active`, jobId);
  },
  toFailed: async (jobId: string, reason: string) => {
    await redis.lrem(`${KEY}:wait`, 0, jobId);
    await redis.hset(`${KEY}:${jobId}`, { failedReason: reason, finishedOn: '1767225600000' });
    await redis.zadd(`${KEY}:failed`, 1_767_225_600_000, jobId);
  },
});

const movedInPostgres = ({ pool }: RecordsDatabase) => ({
  toActive: (jobId: string) =>
    pool.query(
      `UPDATE bullmq.job SET state = 'active', lock_token = 'dead',
         locked_until_ms = extract(epoch FROM now()) * 1000 - 10000 WHERE id = $1`,
      [jobId],
    ),
  toFailed: (jobId: string, reason: string) =>
    pool.query(
      `UPDATE bullmq.job SET state = 'failed', failed_reason = $2, finished_at_ms = 1767225600000 WHERE id = $1`,
      [jobId, reason],
    ),
});

export const failureOf = (
  gameId: string,
  jobId: string,
  errorCode: ErrorCode = 'conflict',
): Partial<OperationEntry> => ({
  gameId,
  jobId,
  outcome: 'failure',
  errorCode,
});

/** The invariants that do not hold, and what is said of them. */
export const unsound = (reports: Reports): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.values(reports)
      .filter(({ status }) => status !== 'holds')
      .map(({ name, status }) => [name, status]),
  );
