/** A worker process that takes one job and hangs on it until it is killed. Says `running <run> <crashes>`. */
import process from 'node:process';
import { createCleanupWorker } from '../../../src/adapters/bullmq/worker/cleanup-worker.js';
import { systemClock } from '../../../src/async/clock.js';
import { openChildBackend } from './queue-child-backend.js';
import { createRecordingReport } from './queue-report.js';
import { givenUp, untilAborted } from './queue-scripts.js';

const worker = createCleanupWorker({
  backend: await openChildBackend(),
  consumer: {
    consume: ({ run, crashes }, signal) => {
      process.stdout.write(`running ${run} ${crashes}\n`);
      return untilAborted(signal);
    },
  },
  clock: systemClock,
  report: createRecordingReport(),
  gaveUp: givenUp,
});
await worker.start();
