import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChild } from '../../support/queue/queue-child.js';
import { openRetentionQueue, startStore, STORE_KINDS, type TestStore } from '../../support/queue/queue-stores.js';
import { RETENTION_QUEUE } from '../../../src/adapters/bullmq/names.js';
import { eventually } from '../../support/eventually.js';

const PROCESSES = 8;

const end = async (child: ChildProcess): Promise<void> => {
  const gone = once(child, 'exit');
  if (child.kill('SIGKILL')) await gone;
};

describe.each(STORE_KINDS)('processes that start at the same time on %s', (kind) => {
  let store: TestStore;

  beforeAll(async () => {
    store = await startStore(kind);
  });
  afterAll(() => store.stop());

  it(`processes that start at the same time create one schedule, one running sweep and one pending one (${PROCESSES} processes, once)`, async () => {
    const space = await store.space();
    const queue = await openRetentionQueue(space);
    const children: ChildProcess[] = [];
    try {
      const sweeping = Array.from({ length: PROCESSES }, () => {
        const { child, firstLine } = startChild(space, 'sweep');
        children.push(child);
        return firstLine;
      });
      await Promise.race(sweeping);
      // All of them run, and so does a sweep, so the next one has been added.
      await eventually(async () => expect(await queue.getWorkersCount()).toBe(PROCESSES), { withinMs: 60_000 });
      await space.untilQueue(async () => expect(await queue.getDelayedCount()).toBe(1), { queue: RETENTION_QUEUE });
      expect(await queue.getActiveCount()).toBe(1);
      expect(await queue.getWaitingCount()).toBe(0);
      expect(await queue.getJobSchedulersCount()).toBe(1);
    } finally {
      await Promise.all(children.map(end));
      await queue.close();
      await space.close();
    }
  }, 120_000);
});
