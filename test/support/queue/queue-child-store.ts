/** Opens the queue store that the environment names: that of the test which started this process. */
import process from 'node:process';
import type { QueueStore } from '../../../src/adapters/bullmq/store/queue-store.js';
import { openPostgresStore } from '../../../src/adapters/bullmq/store/postgres-store.js';
import { openRedisStore } from '../../../src/adapters/bullmq/store/redis-store.js';
import { createRedis } from '../../../src/adapters/redis/connection.js';
import { systemClock } from '../../../src/async/clock.js';
import { queuePool } from './queue-clients.js';
import { createRecordingReport } from './queue-report.js';

const { REDIS_URL, DATABASE_URL = '', QUEUE_SPACE = '' } = process.env;
const waiting = {
  clock: systemClock,
  report: createRecordingReport(),
  deadlineMs: 10_000,
  signal: new AbortController().signal,
};
const onError = (): void => undefined;

export const openChildStore = (): Promise<QueueStore> => {
  if (REDIS_URL !== undefined) {
    const commands = createRedis({ url: REDIS_URL, role: 'commands', onError });
    const blocking = createRedis({ url: REDIS_URL, role: 'blocking', onError });
    return openRedisStore({ commands, blocking, prefix: QUEUE_SPACE, ...waiting });
  }
  return openPostgresStore({ connections: queuePool(DATABASE_URL, QUEUE_SPACE), schema: QUEUE_SPACE, ...waiting });
};
