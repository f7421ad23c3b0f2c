import { createContainerLooks } from '../../../src/adapters/prisma/container-looks.js';
import { createEngineRegistry } from '../../../src/adapters/prisma/engine-registry.js';
import { createRecordQueries } from '../../../src/adapters/prisma/record-queries.js';
import { openRecordsDatabase } from '../../support/postgres/records-database.js';
import { enginesContract } from './engines-contract.js';

enginesContract('PostgreSQL through Prisma', async () => {
  const database = await openRecordsDatabase();
  const { pool, put, clear, close } = database;
  return {
    registry: createEngineRegistry(database),
    looks: createContainerLooks(database),
    put,
    operations: async () => (await createRecordQueries(database).listOperations({ limit: 100 })).items.toReversed(),
    passTime: async (ms) => {
      const age = [ms / 1_000];
      await pool.query('UPDATE container_looks SET looked_at = looked_at - make_interval(secs => $1)', age);
      await pool.query(
        `UPDATE engines SET first_seen_at = first_seen_at - make_interval(secs => $1),
           last_seen_at = last_seen_at - make_interval(secs => $1), observed_at = observed_at - make_interval(secs => $1),
           evidence_since = evidence_since - make_interval(secs => $1)`,
        age,
      );
    },
    clear,
    close,
  };
});
