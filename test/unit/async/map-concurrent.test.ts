import { describe, expect, it } from 'vitest';
import { inLanes } from '../../../src/async/map-concurrent.js';

describe('work in lanes', () => {
  it('answers in order, with at most four at a time', async () => {
    let running = 0;
    let most = 0;
    const answers = await inLanes(
      Array.from({ length: 25 }, (_, index) => index),
      async (item, index) => {
        running += 1;
        most = Math.max(most, running);
        for (let turn = 0; turn < item % 3; turn++) await Promise.resolve();
        running -= 1;
        return item * 10 + index;
      },
    );
    expect(answers).toEqual(Array.from({ length: 25 }, (_, index) => index * 11));
    expect(most).toBe(4);
  });

  it('passes on the first failure, and has no answer to nothing', async () => {
    await expect(inLanes([1, 2], () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await inLanes([], () => Promise.resolve(1))).toEqual([]);
  });
});
