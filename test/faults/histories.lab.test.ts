/** Seeded histories that together have every operation and every fault on each store. `npm run faults` plays many more. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type PrivateEngine, startPrivateEngine } from '../../scripts/services/engine.mjs';
import { startRedis, type TestRedis } from '../support/redis.js';
import { playHistories } from './experiments/histories.js';
import { TEST_SEEDS } from './experiments/histories/named-seeds.js';
import { storyOf } from './table.js';

const LANES = 4;

let redis: TestRedis;
let other: PrivateEngine;
beforeAll(async () => {
  [redis, other] = await Promise.all([startRedis(), startPrivateEngine()]);
});
afterAll(() => Promise.all([redis.stop(), other.stop()]));

test('histories with every operation and fault, and those that once found something, keep every promise', async () => {
  const servers = {
    postgresUrl: inject('postgresUrl'),
    engineSocket: inject('engineSocket'),
    redisUrl: redis.url,
    otherEngineSocket: other.socketPath,
  };
  const findings = await playHistories(TEST_SEEDS, servers, { lanes: LANES, say: () => undefined });
  expect(findings.flatMap(({ violations }) => violations).map(storyOf)).toEqual([]);
  expect(findings.reduce((sum, { runs }) => sum + runs, 0)).toBe(TEST_SEEDS.length);
});
