import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { startRedis, type TestRedis } from '../support/redis.js';
import { crash } from './experiments/crash.js';
import { storyOf } from './table.js';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

it('a worker killed anywhere in a cleanup leaves nothing behind that another does not finish, once', async () => {
  const servers = { postgresUrl: inject('postgresUrl'), engineSocket: inject('engineSocket'), redisUrl: redis.url };
  const findings = await crash.run(servers, {
    seed: 1,
    runs: 1,
    histories: 0,
    outage: 0,
    lanes: 4,
    say: () => undefined,
  });
  expect(findings.flatMap(({ violations }) => violations).map(storyOf)).toEqual([]);
  const tried = findings.map(({ fault, store, runs }) => `${fault}, ${store}: ${runs}`);
  expect(tried).toContain('kill -9, before the compare-and-set, postgres: 1');
  expect(tried).toContain('kill -9, the removal done, not yet answered, redis: 1');
  expect(tried).toHaveLength(34);
});
