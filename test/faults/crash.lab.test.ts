/**
 * A small part of the experiment: a worker is killed after each step on PostgreSQL, before each step on Redis (between two steps that
 * is the same state of the stores), and with the removal on the wire on both. `npm run faults` tries all on both.
 */
import { expect, inject, test } from 'vitest';
import { startRedis } from '../support/redis.js';
import { crashOn, testedPlaces } from './experiments/crash.js';
import type { Store } from './experiment.js';
import { storyOf } from './table.js';

const LANES = 2;

test.concurrent.each<[Store, number, string]>([
  ['postgres', 10, 'kill -9, after the compare-and-set'],
  ['redis', 9, 'kill -9, before the compare-and-set'],
])('a cleanup whose worker is killed on %s is finished once by another worker', async (store, places, oneOfThem) => {
  const redis = await startRedis();
  const servers = { postgresUrl: inject('postgresUrl'), engineSocket: inject('engineSocket'), redisUrl: redis.url };
  const options = { seed: 1, runs: 1, lanes: LANES, say: () => undefined };
  try {
    const findings = await crashOn(store, testedPlaces(store), servers, options);
    expect(findings.flatMap(({ violations }) => violations).map(storyOf)).toEqual([]);
    expect(findings.map(({ runs }) => runs)).toEqual(Array.from({ length: places }, () => 1));
    const faults = findings.map(({ fault }) => fault);
    expect(faults).toContain(oneOfThem);
    expect(faults).toContain('kill -9, the removal done, not yet answered');
  } finally {
    await redis.stop();
  }
});
