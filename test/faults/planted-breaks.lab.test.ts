/**
 * Each planted break is noticed by the check that is there for it: its first trial, on one store, or on both where each
 * store has code of its own for it. `npm run faults -- --sabotage` makes all trials on both.
 */
import { expect, inject, test } from 'vitest';
import { startRedis } from '../support/redis.js';
import type { Store } from './experiment.js';
import { PLANTED_BREAKS } from './sabotage/planted-breaks.js';
import { tryBreak } from './sabotage/try-breaks.js';

/**
 * A break may need one step to come before another in a process that goes on after a pause, and a busy machine decides
 * otherwise now and then.
 */
const TRIES = 3;
const isEmpty = (found: unknown): boolean => Array.isArray(found) && found.length === 0;

const CODE_PER_STORE = new Set(["release another holder's lease"]);

const runs = PLANTED_BREAKS.flatMap((planted): readonly { name: string; store: Store; planted: typeof planted }[] => {
  const stores: readonly Store[] = CODE_PER_STORE.has(planted.name) ? ['postgres', 'redis'] : ['postgres'];
  return stores.map((store) => ({ name: planted.name, store, planted }));
});

test.concurrent.each(runs)('the planted break $name is noticed on $store', async ({ planted, store }) => {
  const redis = await startRedis();
  const servers = { postgresUrl: inject('postgresUrl'), engineSocket: inject('engineSocket'), redisUrl: redis.url };
  try {
    const firstTrial = { ...planted, trials: planted.trials.slice(0, 1) };
    const attempt = async (seed: number): Promise<unknown> => {
      const finding = await tryBreak(firstTrial, servers, { lanes: 1, seed, say: () => undefined }, [store]);
      expect(finding.runs).toBe(1);
      return finding.violations;
    };
    let unnoticed = await attempt(1);
    for (let seed = 2; seed <= TRIES && !isEmpty(unnoticed); seed++) unnoticed = await attempt(seed);
    expect(unnoticed).toEqual([]);
  } finally {
    await redis.stop();
  }
});
