import { createFakePlatform } from '../../support/fakes/platform.js';
import { sweepScheduleContract } from './sweep-schedule-contract.js';

sweepScheduleContract('in memory', async () => ({
  open: async () => {
    const { state, sweepSchedule } = createFakePlatform();
    return {
      schedule: sweepSchedule,
      makeSchedule: async (everyMs) => {
        state.schedule = { everyMs, next: new Date(state.clock.now().getTime() + everyMs) };
      },
      completeSweep: async (report) => void state.sweeps.push({ status: 'completed', report }),
      failSweep: async (reason) => void state.sweeps.push({ status: 'failed', at: state.clock.now(), reason }),
      close: async () => undefined,
    };
  },
  close: async () => undefined,
}));
