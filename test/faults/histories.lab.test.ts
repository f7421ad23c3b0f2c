/** Seeded histories, fixed ones: whatever people, services and faults do at the same time, the promises hold. */
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { startRedis, type TestRedis } from '../support/redis.js';
import { storyOf } from './table.js';
import { tellHistories } from './experiments/histories.js';
import { NAMED_SEEDS } from './experiments/histories/named-seeds.js';

// Three minutes where nothing else runs; on a machine that is shared by many it may be a multiple.
vi.setConfig({ testTimeout: 900_000 });
const LANES = 8;
const HISTORIES = 50;

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

const told = async (seeds: readonly number[]) => {
  const servers = {
    postgresUrl: inject('postgresUrl'),
    engineSocket: inject('engineSocket'),
    redisUrl: redis.url,
  };
  const findings = await tellHistories(seeds, servers, { lanes: LANES, say: () => undefined });
  return {
    runs: findings.reduce((sum, { runs }) => sum + runs, 0),
    stories: findings.flatMap(({ violations }) => violations).map(storyOf),
  };
};

describe('seeded histories', () => {
  test('fifty of them, and those that once found something, keep every promise', async () => {
    const seeds = Array.from({ length: HISTORIES }, (_, index) => index + 1);
    const named = NAMED_SEEDS.map(({ seed }) => seed);
    const { runs, stories } = await told([...new Set([...named, ...seeds])]);
    expect(stories).toEqual([]);
    expect(runs).toBeGreaterThanOrEqual(HISTORIES);
  });
});
