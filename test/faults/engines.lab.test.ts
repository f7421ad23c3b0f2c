/**
 * Nothing is believed of another engine, or of one that shows no containers: one change of each kind, each on one store.
 * `test/e2e/engine-identity.test.ts` has the others, `npm run faults -- --only engines` makes all on both stores.
 */
import { expect, inject, test } from 'vitest';
import { startRedis } from '../support/redis.js';
import type { Store } from './experiment.js';
import { changeOn } from './experiments/engines.js';
import { ENGINE_CHANGES } from './experiments/engines/engine-changes.js';
import { storyOf } from './table.js';

test.concurrent.each<[change: string, store: Store]>([
  ['another engine at the address, one game left', 'postgres'],
  ['another engine at the address, from a removal on', 'redis'],
  ['an empty data folder', 'redis'],
])('the games of a changed engine are held and then removed: %s, on %s', async (change, store) => {
  const redis = await startRedis();
  const servers = { postgresUrl: inject('postgresUrl'), engineSocket: inject('engineSocket'), redisUrl: redis.url };
  try {
    const changes = ENGINE_CHANGES.filter(({ name }) => name === change);
    const findings = await changeOn([store], changes, servers, { seed: 1, say: () => undefined });
    expect(findings.flatMap(({ violations }) => violations).map(storyOf)).toEqual([]);
    expect(findings.map(({ fault, runs }) => [fault, runs])).toEqual([[change, 1]]);
  } finally {
    await redis.stop();
  }
});
