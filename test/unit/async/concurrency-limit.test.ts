import { expect, test } from 'vitest';
import { createConcurrencyLimit } from '../../../src/async/concurrency-limit.js';

test('at most so many works run at a time, in the order of their arrival, and a failure gives its place back', async () => {
  const limit = createConcurrencyLimit(2);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const all = [0, 1, 2, 3].map((each) =>
    limit(async () => {
      begun.push(each);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (each === 0) throw new RangeError('failed');
      return each;
    }),
  );
  const settled = Promise.allSettled(all);
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  await turn();
  expect(begun).toEqual([0, 1]);
  ends[0]?.();
  await turn();
  expect(begun).toEqual([0, 1, 2]);
  ends[1]?.();
  ends[2]?.();
  await turn();
  expect(begun).toEqual([0, 1, 2, 3]);
  ends[3]?.();
  expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
});
