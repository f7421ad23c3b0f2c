import { describe, expect, it } from 'vitest';
import { rateLimitedBatches } from '../../../src/async/rate-limited.js';
import { createManualClock } from '../../support/manual-clock.js';
import { neverAborted } from '../../support/calls.js';

const items = (count: number) => Array.from({ length: count }, (_, index) => index);

function setUp(count: number, perSecond: number | undefined, signal = neverAborted) {
  const clock = createManualClock();
  const groups: (readonly number[])[] = [];
  const done = rateLimitedBatches(items(count), { clock, perSecond, signal }, async (group) => {
    groups.push(group);
  });
  return { clock, groups, done, seen: () => groups.flat().length };
}

describe('rate-limited batches', () => {
  it('the work is called once for each item, in their order', async () => {
    const { clock, groups, done } = setUp(250, undefined);
    await clock.advance(1_000);
    await done;
    expect(groups.flat()).toEqual(items(250));
  });

  it.each([10, 100, 1_000])('the work never gets more than %i items a second', async (perSecond) => {
    const { clock, done, seen } = setUp(perSecond * 3, perSecond);
    for (let second = 1; second <= 3; second++) {
      // Just short of the next second, so that its first group has not begun.
      await clock.advance(999);
      expect(seen()).toBe(perSecond * second);
      await clock.advance(1);
    }
    await done;
  });

  it('the work gets one item at a time when less than one per second is allowed', async () => {
    const { clock, done, seen } = setUp(2, 0.5);
    await clock.advance(1_999);
    expect(seen()).toBe(1);
    await clock.advance(2_001);
    await done;
    expect(seen()).toBe(2);
  });

  it('the batches end with the reason of the signal, even in a pause', async () => {
    const stop = new AbortController();
    const { clock, done, seen } = setUp(1_000, 100, stop.signal);
    const ended = done.catch((reason: unknown) => reason);
    await clock.advance(100);
    stop.abort(new Error('enough'));
    expect(await ended).toBe(stop.signal.reason);
    expect(seen()).toBe(100);
  });

  it('the batches end with the first error of the work', async () => {
    const clock = createManualClock();
    const broken = rateLimitedBatches(items(1_000), { clock, perSecond: 100, signal: neverAborted }, () =>
      Promise.reject(new Error('gone')),
    );
    await expect(broken).rejects.toThrow('gone');
    expect(clock.pendingMs()).toEqual([]);
  });
});
