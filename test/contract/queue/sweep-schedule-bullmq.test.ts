import { SWEEP_JOB } from '../../../src/adapters/bullmq/names.js';
import { ensureSchedule } from '../../../src/adapters/bullmq/sweeps/ensure-schedule.js';
import { createScheduleStatus } from '../../../src/adapters/bullmq/sweeps/schedule-status.js';
import { systemClock } from '../../../src/async/clock.js';
import { addEndedJob } from '../../support/queue/failed-jobs.js';
import { startStore, STORE_KINDS } from '../../support/queue/queue-stores.js';
import { openRetentionQueue } from '../../support/queue/sweep-world.js';
import { sweepScheduleContract } from './sweep-schedule-contract.js';

for (const kind of STORE_KINDS) {
  sweepScheduleContract(`BullMQ on ${kind}`, async () => {
    const store = await startStore(kind);
    return {
      open: async () => {
        const space = await store.space();
        const { backend, report } = space;
        const queue = await openRetentionQueue(space);
        const schedule = createScheduleStatus({ backend, clock: systemClock, report });
        return {
          schedule,
          makeSchedule: (everyMs) => ensureSchedule({ queue, backend, everyMs, mayChange: true }),
          completeSweep: (sweep) => addEndedJob(space, queue, SWEEP_JOB, sweep),
          failSweep: (reason) => addEndedJob(space, queue, SWEEP_JOB, new Error(reason)),
          close: async () => {
            await schedule.close();
            await queue.close();
            await space.close();
          },
        };
      },
      close: store.stop,
    };
  });
}
