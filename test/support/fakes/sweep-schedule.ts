import type { SweepSchedule } from '../../../src/retention/ports.js';
import type { PlatformState } from './state.js';

export const createFakeSweepSchedule = (state: PlatformState): SweepSchedule => ({
  status: async () => state.schedule,
});
