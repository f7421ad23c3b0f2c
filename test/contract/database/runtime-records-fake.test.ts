import { createWorld } from '../../support/cleanup-world.js';
import { runtimeRecordsContract } from './runtime-records-contract.js';

runtimeRecordsContract('in memory', async () => {
  const world = createWorld();
  return {
    records: { take: () => world.take(), markRemoved: (taken, entry) => world.mark(taken, entry) },
    put: async (record) => {
      world.record = record;
    },
    read: async () => world.record,
    rows: async () => world.rows,
    clear: async () => {
      world.record = undefined;
      world.rows.length = 0;
    },
    close: async () => undefined,
  };
});
