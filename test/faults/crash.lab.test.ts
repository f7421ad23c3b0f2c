import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { startRedis, type TestRedis } from '../support/redis.js';
import { crash } from './experiments/crash.js';
import { POINTS } from './laboratory/points.js';
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
  expect(findings.map(({ fault, store, runs }) => [fault, store, runs])).toEqual(
    ['postgres', 'redis'].flatMap((store) => POINTS.map(({ name }) => [`kill -9, ${name}`, store, 1])),
  );
});
