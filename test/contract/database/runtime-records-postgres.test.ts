import { createRecordQueries } from '../../../src/adapters/prisma/record-queries.js';
import { createRuntimeRecords } from '../../../src/adapters/prisma/runtime-records.js';
import { runtimeRecordsContract } from './runtime-records-contract.js';
import { openRecordsDatabase } from '../../support/postgres/records-database.js';

runtimeRecordsContract('PostgreSQL through Prisma', async () => {
  const database = await openRecordsDatabase();
  const queries = createRecordQueries(database);
  return {
    records: createRuntimeRecords(database),
    put: async (record) => {
      if (record === undefined) await database.pool.query('DELETE FROM runtime_records');
      else await database.put(record);
    },
    read: () => queries.findRecord('game-1'),
    rows: async () => [...(await queries.listOperations({ gameId: 'game-1', limit: 100 })).items].toReversed(),
    clear: database.clear,
    close: database.close,
  };
});
