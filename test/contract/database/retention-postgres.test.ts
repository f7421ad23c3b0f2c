import { createSweepLock } from '../../../src/adapters/postgres/sweep-lock.js';
import { createHolds } from '../../../src/adapters/prisma/holds.js';
import { createRetentionRecords } from '../../../src/adapters/prisma/retention-records.js';
import { createFakePlatform } from '../../support/fakes/platform.js';
import { retentionOver } from '../../support/fakes/retention.js';
import { addFailedFakeJob } from '../../support/fakes/state.js';
import { openRecordsDatabase } from '../../support/postgres/records-database.js';
import { RETENTION_UNDER_TEST, retentionContract } from './retention-contract.js';

/** The queue stays in memory: its own contract suites compare it with BullMQ. */
retentionContract('over PostgreSQL', async () => {
  const database = await openRecordsDatabase();
  const { state, cleanupQueue, deadLetters } = createFakePlatform();
  const [records, lock] = [createRetentionRecords(database), createSweepLock(database)];
  const holds = createHolds(database);
  return {
    retention: retentionOver({ records, lock, cleanupQueue, deadLetters }, RETENTION_UNDER_TEST),
    lock,
    now: records.now,
    put: database.put,
    hold: async ({ heldUntil, ...hold }) => {
      await holds.put({ ...hold, end: heldUntil === null ? null : { until: heldUntil } });
    },
    addDeadLetter: async (gameId, code) => addFailedFakeJob(state, { data: { gameId }, reason: `${code}: no` }).jobId,
    jobs: () => [...state.jobs.values()],
    clear: async () => {
      state.jobs.clear();
      await database.clear();
    },
    close: database.close,
  };
});
