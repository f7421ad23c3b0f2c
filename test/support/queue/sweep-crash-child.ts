/** A worker process whose sweep runs until the process is killed. Prints `started`, and `sweeping`. */
import process from 'node:process';
import { createSweepWorker } from '../../../src/adapters/bullmq/sweeps/sweep-worker.js';
import { systemClock } from '../../../src/async/clock.js';
import { openChildStore } from './queue-child-store.js';
import { createRecordingReport } from './queue-report.js';
import { untilAborted } from './queue-scripts.js';

const worker = createSweepWorker(
  {
    backend: await openChildStore(),
    sweep: (signal) => {
      process.stdout.write('sweeping\n');
      return untilAborted(signal);
    },
    clock: systemClock,
    report: createRecordingReport(),
  },
  { everyMs: 3_600_000 },
);
await worker.start();
process.stdout.write('started\n');
