import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { createPermitQueue } from '../../../src/circuit-breaker/permit-queue.js';

it('whoever was called leaves no listener behind on a signal that lives on', async () => {
  const room = createPermitQueue<string>();
  const { signal } = new AbortController();
  const waits = Array.from({ length: 10 }, () => room.wait(signal));
  expect(getEventListeners(signal, 'abort')).toHaveLength(10);
  room.callFirst('first');
  room.callAll('all');
  expect(await Promise.all(waits)).toEqual(['first', ...Array<string>(9).fill('all')]);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  expect(room.isEmpty()).toBe(true);
});
