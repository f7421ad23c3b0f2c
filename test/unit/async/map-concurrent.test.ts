import { describe, expect, it } from 'vitest';
import { mapConcurrent } from '../../../src/async/map-concurrent.js';

describe('mapConcurrent', () => {
  it('the answers are in order, and at most four calls run at a time', async () => {
    let running = 0;
    let most = 0;
    const answers = await mapConcurrent(
      Array.from({ length: 25 }, (_, index) => index),
      4,
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

  it('the first failure is thrown, and an empty list gives an empty list', async () => {
    await expect(mapConcurrent([1, 2], 4, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await mapConcurrent([], 4, () => Promise.resolve(1))).toEqual([]);
  });
});
