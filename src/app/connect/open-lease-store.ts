import { createRedisLeaseStore } from '../../adapters/redis/lease-store.js';
import type { LeaseStore } from '../../lease/lease-store.js';
import { openAllOrNone, type ShutdownStack } from '../shutdown-stack.js';
import type { Context } from '../context.js';
import type { Database } from './database.js';
import { connectRedis } from './redis.js';
import { requireRedisRights } from './redis-rights.js';

type LeaseTables = Pick<Database, 'leaseStore'>;

export async function openLeaseStore(
  context: Context,
  database: LeaseTables,
  closing: Pick<ShutdownStack, 'add'>,
): Promise<LeaseStore> {
  if (context.config.leaseStore === 'postgres') return database.leaseStore;
  const redis = await connectRedis(context, 'commands', closing);
  await requireRedisRights(context, redis, 'leases');
  return createRedisLeaseStore({ redis });
}

/** A person waits for the answer, also where the service itself waits for its stores without a limit. */
const PATIENCE_MS = 1_000;

/** The lease store for work that people ask for now and then: connected at its first use, and again after a failure. */
export function lazyLeaseStore(context: Context, database: () => LeaseTables, closing: ShutdownStack): LeaseStore {
  let opened: Promise<LeaseStore> | undefined;

  function open(): Promise<LeaseStore> {
    return openAllOrNone(context.log, async (parts) => {
      const patient = { ...context, patienceMs: Math.min(PATIENCE_MS, context.patienceMs) };
      const store = await openLeaseStore(patient, database(), parts);
      closing.add('lease store', parts.closeAll);
      return store;
    });
  }

  const store = (): Promise<LeaseStore> =>
    (opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    }));
  return {
    acquire: async (gameId, token, ttlMs) => (await store()).acquire(gameId, token, ttlMs),
    renew: async (gameId, token, ttlMs) => (await store()).renew(gameId, token, ttlMs),
    release: async (gameId, token) => (await store()).release(gameId, token),
  };
}
