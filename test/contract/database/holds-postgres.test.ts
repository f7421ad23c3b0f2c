import { createHolds } from '../../../src/adapters/prisma/holds.js';
import { createRetentionRecords } from '../../../src/adapters/prisma/retention-records.js';
import { openRecordsDatabase } from '../../support/postgres/records-database.js';
import { holdsContract } from './holds-contract.js';

holdsContract('PostgreSQL through Prisma', async () => {
  const database = await openRecordsDatabase();
  return {
    holds: createHolds(database),
    now: createRetentionRecords(database).now,
    clear: database.clear,
    close: database.close,
  };
});
