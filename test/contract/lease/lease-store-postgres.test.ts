import { createPostgresLeaseStore } from '../../../src/adapters/postgres/lease-store.js';
import { createPool } from '../../../src/adapters/postgres/pool.js';
import { createMigratedDatabase } from '../../support/postgres/database.js';
import { eventually } from '../../support/eventually.js';
import { leaseStoreContract } from './lease-store-contract.js';

leaseStoreContract('PostgreSQL', async () => {
  const database = await createMigratedDatabase();
  const pool = createPool(
    { connectionString: database.url, applicationName: 'lease-store-contract', max: 20 },
    () => undefined,
  );
  const remainingMs = async (gameId: string): Promise<number> => {
    const { rows } = await pool.query<{ remaining: number }>(
      `SELECT greatest(0, extract(epoch FROM expires_at - now()) * 1000)::float8 AS remaining
       FROM game_leases WHERE game_id = $1`,
      [gameId],
    );
    return rows[0]?.remaining ?? 0;
  };
  return {
    store: createPostgresLeaseStore({ pool }),
    remainingMs,
    untilExpired: (gameId) =>
      eventually(async () => {
        if ((await remainingMs(gameId)) > 0) throw new Error('the lease has not expired');
      }),
    close: async () => {
      await pool.end();
      await database.drop();
    },
  };
});
