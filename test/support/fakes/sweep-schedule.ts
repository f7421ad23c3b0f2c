import type { ScheduleStatus, SweepSchedule } from '../../../src/retention/ports.js';
import type { PlatformState } from './state.js';

export const createFakeSweepSchedule = (state: PlatformState): SweepSchedule => ({
  status: async () => {
    const { schedule, sweeps } = state;
    let last: ScheduleStatus['last'] = null;
    let lastFailure: ScheduleStatus['lastFailure'] = null;
    for (const sweep of sweeps) {
      if (sweep.status === 'failed') lastFailure = { at: sweep.at, reason: sweep.reason };
      else if (sweep.report.status !== 'busy') last = sweep.report;
    }
    return { everyMs: schedule?.everyMs ?? null, next: schedule?.next ?? null, last, lastFailure };
  },
});
