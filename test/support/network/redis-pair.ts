/** A primary and a replica behind one address, and their failover as hosted services make it. */
import { Redis } from 'ioredis';
import { startRedisServer } from '../../../scripts/services/redis.mjs';
import { eventually } from '../eventually.js';
import { startTcpFaultProxy } from './tcp-fault-proxy.js';

export interface RedisPair {
  /** The address that the program under test knows. */
  readonly url: string;
  /** Leads to the primary, whichever server that is; for the test's own clients. */
  readonly primaryUrl: string;
  /** Swaps the roles of the two servers without losing a write. `url` leads to the same server as before. */
  readonly failOver: () => Promise<void>;
  /** New connections to `url` lead to the new primary from now on. */
  readonly switchAddress: (oldConnections: 'kept' | 'cut') => void;
  /** While it lasts, the primary answers reads only, and stays the primary. */
  readonly refuseWrites: (step: 'begin' | 'end') => Promise<void>;
  readonly stop: () => Promise<void>;
}

export async function startRedisPair(): Promise<RedisPair> {
  const [first, second] = await Promise.all([startRedisServer(), startRedisServer()]);
  const [admin, replica] = [new Redis(first.url), new Redis(second.url)];
  await replica.replicaof('127.0.0.1', first.port);
  const isLinked = async (): Promise<void> => {
    if (!(await replica.info('replication')).includes('master_link_status:up')) throw new Error('not in sync yet');
  };
  await eventually(isLinked);
  const address = await startTcpFaultProxy({ port: first.port });
  const primary = await startTcpFaultProxy({ port: first.port });

  return {
    url: address.urlFor(first.url),
    primaryUrl: primary.urlFor(first.url),
    failOver: async () => {
      await admin.call('FAILOVER', 'TO', '127.0.0.1', String(second.port), 'TIMEOUT', '10000');
      await eventually(async () => {
        if (!(await replica.info('replication')).includes('role:master')) throw new Error('not promoted yet');
      });
      primary.redirect(second.port);
      primary.resetConnections();
    },
    switchAddress: (oldConnections) => {
      address.redirect(second.port);
      if (oldConnections === 'cut') address.resetConnections();
    },
    refuseWrites: async (step) => {
      // The one replica is too few.
      await admin.config('SET', 'min-replicas-to-write', step === 'begin' ? 2 : 0);
    },
    stop: async () => {
      admin.disconnect();
      replica.disconnect();
      await Promise.all([address.close(), primary.close()]);
      await Promise.all([first.stop(), second.stop()]);
    },
  };
}
