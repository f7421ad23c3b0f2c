import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Queue, createPostgresBackend } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPostgresStore } from '../../../src/adapters/bullmq/store/postgres-store.js';
import { openRedisStore } from '../../../src/adapters/bullmq/store/redis-store.js';
import { createCleanupWorker } from '../../../src/adapters/bullmq/worker/cleanup-worker.js';
import { createRedis } from '../../../src/adapters/redis/connection.js';
import { systemClock } from '../../../src/async/clock.js';
import { queuePool } from '../../support/queue/queue-clients.js';
import { createRecordingReport } from '../../support/queue/queue-report.js';
import { scripted, abandonedByQueue } from '../../support/queue/queue-scripts.js';
import { createDatabase, type TestDatabase } from '../../support/postgres/database.js';
import { startRedis, type TestRedis } from '../../support/redis.js';

const example = fileURLToPath(new URL('../../../examples/enqueue.mjs', import.meta.url));
const GAME = 'game "ünï" 1';

describe('the ten-line producer in examples/', () => {
  let redis: TestRedis;
  let database: TestDatabase;
  const report = createRecordingReport();
  const waiting = { clock: systemClock, report, deadlineMs: 30_000, signal: new AbortController().signal };

  beforeAll(async () => {
    [redis, database] = await Promise.all([startRedis(), createDatabase()]);
  });
  afterAll(() => Promise.all([redis.stop(), database.drop()]));

  const openRedis = async () => {
    const onError = (): void => undefined;
    const commands = createRedis({ url: redis.url, role: 'commands', onError });
    const blocking = createRedis({ url: redis.url, role: 'blocking', onError });
    const backend = await openRedisStore({ commands, blocking, ...waiting });
    const queue = new Queue('runtime-cleanup', { connection: { url: redis.url }, prefix: '{rtmanager}' });
    const close = async (): Promise<void> => {
      await queue.close();
      commands.disconnect();
      blocking.disconnect();
    };
    return { backend, env: { REDIS_URL: redis.url }, failed: () => queue.getFailedCount(), close };
  };
  const openPostgres = async () => {
    const connections = queuePool(database.url);
    const backend = await openPostgresStore({ connections, ...waiting });
    const connection = { connectionString: database.url };
    const queue = new Queue('runtime-cleanup', { connection }, createPostgresBackend);
    return {
      backend,
      env: { DATABASE_URL: database.url },
      failed: () => queue.getFailedCount(),
      close: async () => {
        await queue.close();
        await connections.close();
      },
    };
  };

  it.each([
    ['Redis', openRedis],
    ['PostgreSQL', openPostgres],
  ])('the example adds a job on %s that a worker takes', async (_name, open) => {
    const { backend, env, failed, close } = await open();
    const consumer = scripted();
    const worker = createCleanupWorker({
      backend,
      consumer,
      clock: systemClock,
      report,
      abandoned: abandonedByQueue,
    });
    await worker.start();
    const { stdout } = await promisify(execFile)(process.execPath, [example, GAME], {
      env: { ...process.env, REDIS_URL: '', DATABASE_URL: '', ...env },
    });
    expect(stdout).toMatch(/^job \S+ requests the cleanup of game "ünï" 1\n$/);
    await consumer.delivered(1);
    expect(consumer.deliveries).toMatchObject([
      { jobName: 'cleanup_container', payload: { gameId: GAME, opSource: 'lobby_stream' } },
    ]);
    await worker.stop({ graceMs: 5_000 });
    expect(await failed()).toBe(0);
    await close();
  });
});
