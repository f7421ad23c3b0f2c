import { createPostgresLeaseStore } from '../../src/adapters/postgres/lease-store.js';
import { createPool } from '../../src/adapters/postgres/pool.js';
import { createRedis, untilReady } from '../../src/adapters/redis/connection.js';
import { createRedisLeaseStore } from '../../src/adapters/redis/lease-store.js';
import type { LeaseStore } from '../../src/lease/lease-store.js';
import { createMigratedDatabase } from './postgres/database.js';
import { startRedis } from './redis.js';

export interface ConnectedStore {
  readonly store: LeaseStore;
  readonly close: () => Promise<void>;
}

/** A real server for leases. */
export interface LeaseBackend {
  readonly url: string;
  readonly port: number;
  /** A store with connections of its own, that are open by then; `url` may lead through a proxy. */
  readonly connect: (url?: string) => Promise<ConnectedStore>;
  readonly stop: () => Promise<void>;
}

export async function startRedisBackend(): Promise<LeaseBackend> {
  const server = await startRedis();
  return {
    url: server.url,
    port: server.port,
    connect: async (url = server.url) => {
      const redis = createRedis({ url, role: 'commands', onError: () => undefined });
      await untilReady(redis, 5_000, new AbortController().signal);
      return { store: createRedisLeaseStore({ redis }), close: async () => redis.disconnect() };
    },
    stop: server.stop,
  };
}

export async function startPostgresBackend(): Promise<LeaseBackend> {
  const database = await createMigratedDatabase();
  return {
    url: database.url,
    port: Number(new URL(database.url).port),
    connect: async (url = database.url) => {
      const pool = createPool({ connectionString: url, applicationName: 'lease-tests', max: 10 }, () => undefined);
      await pool.query('SELECT 1');
      return { store: createPostgresLeaseStore({ pool }), close: () => pool.end() };
    },
    stop: database.drop,
  };
}

export const LEASE_BACKENDS = [
  ['Redis', startRedisBackend],
  ['PostgreSQL', startPostgresBackend],
] as const;
