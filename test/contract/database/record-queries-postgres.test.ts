import { createOperationLog } from '../../../src/adapters/prisma/operation-log.js';
import { createRecordQueries } from '../../../src/adapters/prisma/record-queries.js';
import { openRecordsDatabase } from '../../support/postgres/records-database.js';
import { recordQueriesContract } from './record-queries-contract.js';

recordQueriesContract('PostgreSQL through Prisma', async () => {
  const database = await openRecordsDatabase();
  return {
    queries: createRecordQueries(database),
    put: database.put,
    append: createOperationLog(database).append,
    clear: database.clear,
    close: database.close,
  };
});
