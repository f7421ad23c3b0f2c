import { describe, expect, it } from 'vitest';
import { EngineRefusalError } from '../../../src/domain/errors.js';
import { createBreakerWorld, unavailable } from './breaker-world.js';

const THRESHOLD = 5;

describe('a refusal of the engine', () => {
  it('counts as an answer, however often it comes', async () => {
    const world = createBreakerWorld();
    for (let i = 0; i < 30; i++) await world.begin('docker').break(new EngineRefusalError('HTTP 500'));
    expect((await world.claimJob()).status()).toBe('running');
    expect(world.reports).toEqual([]);
  });

  it('ends a row of failures, as an answer does', async () => {
    const world = createBreakerWorld();
    await world.fails('docker', THRESHOLD - 1);
    await world.begin('docker').break(new EngineRefusalError('HTTP 500'));
    await world.fails('docker', THRESHOLD - 1);
    expect(world.reports).toEqual([]);
  });
});

describe('an outage that is found by another way than calls', () => {
  it('opens the breaker at once, and is reported once', async () => {
    const { breaker, reports, claimJob } = createBreakerWorld();
    for (let i = 0; i < 2; i++) breaker.outage(Object.assign(unavailable('docker'), { dependency: 'docker' as const }));
    expect((await claimJob()).status()).toBe('waiting');
    expect(reports).toEqual(['docker unavailable']);
    expect(breaker.states()).toEqual([{ dependency: 'docker', isOpen: true }]);
  });
});

describe('a permit that is asked for without waiting', () => {
  it('is given while the breaker is closed, and not while it is open', async () => {
    const world = createBreakerWorld();
    expect(world.breaker.tryAdmit()).toBeDefined();
    await world.fails('docker', THRESHOLD);
    expect(world.breaker.tryAdmit()).toBeUndefined();
  });

  it('is given to one job at a time while the breaker is half open, and again once that job has ended', async () => {
    const world = createBreakerWorld({ firstPauseMs: 100, longestPauseMs: 100 });
    await world.fails('docker', THRESHOLD);
    await world.clock.advance(200);
    const permit = world.breaker.tryAdmit();
    expect(permit).toBeDefined();
    expect(world.breaker.tryAdmit()).toBeUndefined();
    permit?.release();
    expect(world.breaker.tryAdmit()).toBeDefined();
  });
});
