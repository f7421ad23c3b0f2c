import { createRedis, untilReady } from '../../../src/adapters/redis/connection.js';
import { createRedisLeaseStore, leaseKey } from '../../../src/adapters/redis/lease-store.js';
import { eventually } from '../../support/eventually.js';
import { startRedis } from '../../support/redis.js';
import { leaseStoreContract } from './lease-store-contract.js';

leaseStoreContract('Redis', async () => {
  const server = await startRedis();
  const redis = createRedis({ url: server.url, role: 'commands', onError: () => undefined });
  await untilReady(redis, 5_000, new AbortController().signal);
  const remainingMs = async (gameId: string): Promise<number> => Math.max(0, await redis.pttl(leaseKey(gameId)));
  return {
    store: createRedisLeaseStore({ redis }),
    remainingMs,
    untilExpired: (gameId) =>
      eventually(async () => {
        // In its last millisecond a key has no time left and is still there.
        if ((await redis.exists(leaseKey(gameId))) === 1) throw new Error('the lease has not expired');
      }),
    close: async () => {
      redis.disconnect();
      await server.stop();
    },
  };
});
