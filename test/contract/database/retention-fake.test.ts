import { createFakePlatform } from '../../support/fakes/platform.js';
import { addFailedFakeJob } from '../../support/fakes/state.js';
import { RETENTION_UNDER_TEST, retentionContract } from './retention-contract.js';

retentionContract('in memory', async () => {
  const { state, retention, sweepLock } = createFakePlatform({ retention: RETENTION_UNDER_TEST });
  return {
    retention,
    lock: sweepLock,
    now: async () => state.clock.now(),
    put: async (record) => void state.records.set(record.gameId, record),
    hold: async (hold) => void state.holds.set(hold.gameId, hold),
    addDeadLetter: async (gameId, code) => addFailedFakeJob(state, { data: { gameId }, reason: `${code}: no` }).jobId,
    jobs: () => [...state.jobs.values()],
    clear: async () => {
      state.records.clear();
      state.holds.clear();
      state.jobs.clear();
    },
    close: async () => undefined,
  };
});
