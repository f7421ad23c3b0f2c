import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { createPermitQueue } from '../../../src/circuit-breaker/permit-queue.js';

it('an admitted job leaves no listener on its signal', async () => {
  const queue = createPermitQueue<string>();
  const { signal } = new AbortController();
  const waits = Array.from({ length: 10 }, () => queue.wait(signal));
  expect(getEventListeners(signal, 'abort')).toHaveLength(10);
  queue.admitFirst('first');
  queue.admitAll('all');
  expect(await Promise.all(waits)).toEqual(['first', ...Array<string>(9).fill('all')]);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  expect(queue.isEmpty()).toBe(true);
});
