import { createFakeEngines } from '../../support/fakes/engines.js';
import { createPlatformState } from '../../support/fakes/state.js';
import { createManualClock } from '../../support/manual-clock.js';
import { enginesContract } from './engines-contract.js';

enginesContract('in memory', async () => {
  const clock = createManualClock();
  const state = createPlatformState(clock);
  const { registry, looks, clear } = createFakeEngines(state);
  return {
    registry,
    looks,
    put: async (record) => void state.records.set(record.gameId, record),
    operations: async () => state.operations,
    passTime: async (ms) => clock.skip(ms),
    clear: async () => {
      clear();
      state.records.clear();
      state.operations.length = 0;
    },
    close: async () => undefined,
  };
});
