import type { Redis } from 'ioredis';

/** Rejects unless this server is a replica of the one on that port, with a complete copy. */
export async function expectCopying(replica: Redis, masterPort: number): Promise<void> {
  const info = await replica.info('replication');
  for (const wanted of ['role:slave', `master_port:${masterPort}`, 'master_link_status:up']) {
    if (!info.includes(wanted)) throw new Error(`the server is no complete copy of port ${masterPort} yet: ${info}`);
  }
}
