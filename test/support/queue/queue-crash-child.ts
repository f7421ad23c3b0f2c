/** A worker process whose first job runs until the process is killed. Prints `started`, and `running <run> <crashes>`. */
import process from 'node:process';
import { createCleanupWorker } from '../../../src/adapters/bullmq/worker/cleanup-worker.js';
import { systemClock } from '../../../src/async/clock.js';
import { openChildStore } from './queue-child-store.js';
import { createRecordingReport } from './queue-report.js';
import { abandonedByQueue, untilAborted } from './queue-scripts.js';

const worker = createCleanupWorker({
  backend: await openChildStore(),
  consumer: {
    consume: ({ run, crashes }, signal) => {
      process.stdout.write(`running ${run} ${crashes}\n`);
      return untilAborted(signal);
    },
  },
  clock: systemClock,
  report: createRecordingReport(),
  abandoned: abandonedByQueue,
});
await worker.start();
process.stdout.write('started\n');
