import { createFakePlatform } from '../../support/fakes/platform.js';
import { logOperation } from '../../support/fakes/state.js';
import { recordQueriesContract } from './record-queries-contract.js';

recordQueriesContract('in memory', async () => {
  const { state, recordQueries } = createFakePlatform();
  return {
    queries: recordQueries,
    put: async (record) => void state.records.set(record.gameId, record),
    append: async (entry) => logOperation(state, entry),
    clear: async () => {
      state.records.clear();
      state.operations.length = 0;
    },
    close: async () => undefined,
  };
});
