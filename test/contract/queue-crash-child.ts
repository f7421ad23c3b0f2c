/** A worker process that takes one job and hangs on it until it is killed. Says `running <run> <crashes>`. */
import process from 'node:process';
import { openPostgresBackend } from '../../src/adapters/bullmq/postgres-backend.js';
import { openRedisBackend } from '../../src/adapters/bullmq/redis-backend.js';
import { createCleanupWorker } from '../../src/adapters/bullmq/worker.js';
import { poolOptions } from '../../src/adapters/postgres/pool.js';
import { createRedis } from '../../src/adapters/redis/connection.js';
import { systemClock } from '../../src/clock.js';
import { withClient } from './queue-clients.js';
import { createRecordingReport } from './queue-report.js';
import { untilAborted, givenUp } from './queue-scripts.js';

const { REDIS_URL, DATABASE_URL = '', QUEUE_SPACE = '' } = process.env;
const report = createRecordingReport();
const waiting = { clock: systemClock, report, deadlineMs: 10_000, signal: new AbortController().signal };
const onError = (): void => undefined;

const openBackend = () => {
  if (REDIS_URL !== undefined) {
    const commands = createRedis({ url: REDIS_URL, role: 'commands', onError });
    const blocking = createRedis({ url: REDIS_URL, role: 'blocking', onError });
    return openRedisBackend({ commands, blocking, prefix: QUEUE_SPACE, ...waiting });
  }
  const poolConfig = poolOptions({ connectionString: DATABASE_URL, applicationName: 'crash-child', max: 4 });
  return openPostgresBackend({
    poolConfig,
    schema: QUEUE_SPACE,
    withClient: (work) => withClient(poolConfig, work),
    ...waiting,
  });
};

const worker = createCleanupWorker({
  backend: await openBackend(),
  consumer: {
    consume: ({ run, crashes }, signal) => {
      process.stdout.write(`running ${run} ${crashes}\n`);
      return untilAborted(signal);
    },
  },
  clock: systemClock,
  report,
  gaveUp: givenUp,
});
await worker.start();
