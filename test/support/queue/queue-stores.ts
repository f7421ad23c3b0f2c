import { createPostgresBackend, Queue } from 'bullmq';
import { Pool } from 'pg';
import { openPostgresStore } from '../../../src/adapters/bullmq/store/postgres-store.js';
import { openRedisStore } from '../../../src/adapters/bullmq/store/redis-store.js';
import { RETENTION_QUEUE } from '../../../src/adapters/bullmq/names.js';
import type { JobQueue, QueueStore } from '../../../src/adapters/bullmq/store/queue-store.js';
import { queuePool } from './queue-clients.js';
import { createRedis } from '../../../src/adapters/redis/connection.js';
import { type Clock, systemClock } from '../../../src/async/clock.js';
import { createDatabase } from '../postgres/database.js';
import { startRedis } from '../redis.js';
import { createQueueChanges, type UntilQueue } from './queue-changes.js';
import { type FaultProxy, startProxy } from './queue-proxy.js';
import { createRecordingReport, type RecordingReport } from './queue-report.js';

export const STORE_KINDS = ['redis', 'postgres'] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

/** For tests with many callers at once, who may wait longer than one may: they ask who wins, not when. */
export const PATIENT_CLOCK: Clock = { ...systemClock, after: (delayMs, fn) => systemClock.after(delayMs * 30, fn) };

/** A separate, empty part of the store, for one test. */
export interface QueueSpace {
  readonly backend: QueueStore;
  /** Records what the store reports while it is opened; a test passes it to what it creates. */
  readonly report: RecordingReport;
  /** A plain BullMQ client, as another service uses it; it does not go through the proxy. */
  readonly plain: Queue;
  readonly untilQueue: UntilQueue;
  /** The environment with which another process uses this space. */
  readonly env: Readonly<Record<string, string>>;
  readonly close: () => Promise<void>;
}

export interface SpaceOptions {
  /**
   * PostgreSQL only: how long a caller may wait for one of the pool's few connections; by default as long as in the program.
   * For tests with more callers at once than one process has.
   */
  readonly connectionTimeoutMillis?: number;
}

export interface TestStore {
  readonly kind: StoreKind;
  /** Between the queue store under test and the server; the plain client does not go through it. */
  readonly proxy: FaultProxy;
  readonly space: (options?: SpaceOptions) => Promise<QueueSpace>;
  readonly stop: () => Promise<void>;
  /** PostgreSQL only: runs one statement as administrator. */
  readonly sql: (text: string, params?: readonly unknown[]) => Promise<Record<string, unknown>[]>;
}

const waiting = (report: RecordingReport) => ({
  clock: systemClock,
  report,
  deadlineMs: 30_000,
  signal: new AbortController().signal,
});

const startRedisStore = async (): Promise<TestStore> => {
  const server = await startRedis();
  const proxy = await startProxy(server.port);
  let spaces = 0;
  return {
    kind: 'redis',
    proxy,
    space: async () => {
      spaces += 1;
      const prefix = `{test${spaces}}`;
      const report = createRecordingReport();
      const url = `redis://127.0.0.1:${proxy.port}`;
      const onError = (): void => undefined;
      const commands = createRedis({ url, role: 'commands', onError });
      const blocking = createRedis({ url, role: 'blocking', onError });
      const backend = await openRedisStore({ commands, blocking, prefix, ...waiting(report) });
      const plain = new Queue('runtime-cleanup', { connection: { url: server.url }, prefix });
      const env = { REDIS_URL: server.url, QUEUE_SPACE: prefix };
      const changes = createQueueChanges(env);
      return {
        backend,
        report,
        plain,
        untilQueue: changes.untilQueue,
        env,
        close: async () => {
          await Promise.all([plain.close(), changes.close()]);
          commands.disconnect();
          blocking.disconnect();
        },
      };
    },
    stop: async () => {
      await proxy.close();
      await server.stop();
    },
    sql: () => Promise.reject(new Error('Redis has no SQL')),
  };
};

const startPostgresStore = async (): Promise<TestStore> => {
  const database = await createDatabase();
  const direct = new URL(database.url);
  const proxy = await startProxy(Number(direct.port));
  const proxied = new URL(database.url);
  proxied.port = String(proxy.port);
  const admin = new Pool({ connectionString: database.url, max: 2 });
  // Each space has a schema of its own, but BullMQ asks this one for the version of its tables.
  await admin.query('CREATE SCHEMA bullmq CREATE TABLE migration (version int)');
  let spaces = 0;
  return {
    kind: 'postgres',
    proxy,
    space: async (patience = {}) => {
      spaces += 1;
      const schema = `queue_test_${spaces}`;
      const report = createRecordingReport();
      const connections = queuePool(proxied.href, schema);
      Object.assign(connections.pool.options, patience);
      const backend = await openPostgresStore({ connections, schema, ...waiting(report) });
      const connection = { connectionString: database.url, schema, max: 4 };
      const plain = new Queue('runtime-cleanup', { connection }, createPostgresBackend) as unknown as Queue;
      const env = { DATABASE_URL: database.url, QUEUE_SPACE: schema };
      const changes = createQueueChanges(env);
      return {
        backend,
        report,
        plain,
        untilQueue: changes.untilQueue,
        env,
        close: async () => {
          await Promise.all([plain.close(), changes.close()]);
          await connections.close();
        },
      };
    },
    stop: async () => {
      await proxy.close();
      await admin.end();
      await database.drop();
    },
    sql: async (text, params = []) => (await admin.query<Record<string, unknown>>(text, [...params])).rows,
  };
};

export const startStore = (kind: StoreKind): Promise<TestStore> =>
  kind === 'redis' ? startRedisStore() : startPostgresStore();

export const openRetentionQueue = ({ backend }: QueueSpace): Promise<JobQueue> =>
  backend.queue({ name: RETENTION_QUEUE, onError: () => undefined });
