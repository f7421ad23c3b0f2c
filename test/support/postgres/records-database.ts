import type pg from 'pg';
import { createPool } from '../../../src/adapters/postgres/pool.js';
import { createPrisma } from '../../../src/adapters/prisma/client.js';
import type { RuntimeRecord } from '../../../src/domain/runtime-record.js';
import { createMigratedDatabase } from './database.js';

/** A migrated database of its own, reached as the program reaches it. */
export interface RecordsDatabase {
  readonly url: string;
  readonly pool: pg.Pool;
  readonly prisma: ReturnType<typeof createPrisma>;
  /** Inserts the record, or writes it over the one that is there. */
  readonly put: (record: RuntimeRecord) => Promise<void>;
  /** Forgets records, holds and the operation log. */
  readonly clear: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const COLUMNS = {
  gameId: 'game_id',
  status: 'status',
  currentContainerId: 'current_container_id',
  currentImageRef: 'current_image_ref',
  engineEndpoint: 'engine_endpoint',
  statePath: 'state_path',
  dockerNetwork: 'docker_network',
  startedAt: 'started_at',
  stoppedAt: 'stopped_at',
  removedAt: 'removed_at',
  lastOpAt: 'last_op_at',
  createdAt: 'created_at',
  leaseEpoch: 'lease_epoch',
  dockerHost: 'docker_host',
} as const satisfies Record<keyof RuntimeRecord, string>;

export async function openRecordsDatabase(): Promise<RecordsDatabase> {
  const database = await createMigratedDatabase();
  const pool = createPool(
    { connectionString: database.url, applicationName: 'records-tests', max: 10 },
    () => undefined,
  );
  const prisma = createPrisma(pool);
  const names = Object.values(COLUMNS);
  const upsert = `
    INSERT INTO runtime_records (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')})
    ON CONFLICT (game_id) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(', ')}`;
  return {
    url: database.url,
    pool,
    prisma,
    put: async (record) => {
      await pool.query(
        upsert,
        Object.keys(COLUMNS).map((key) => new Map<string, unknown>(Object.entries(record)).get(key)),
      );
    },
    clear: async () => {
      await pool.query(`
        BEGIN; SET LOCAL rtmanager.prune_operation_log = 'on';
        TRUNCATE runtime_records, operation_log, retention_holds, engines, container_looks; COMMIT`);
    },
    close: async () => {
      await prisma.$disconnect();
      await pool.end();
      await database.drop();
    },
  };
}
