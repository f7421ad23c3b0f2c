import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStore, STORE_KINDS, type TestStore } from '../../support/queue/queue-stores.js';
import { openRetentionQueue } from '../../support/queue/sweep-world.js';
import { eventually } from '../../support/eventually.js';

const CHILD = fileURLToPath(new URL('../../support/queue/sweep-crash-child.ts', import.meta.url));
const PROCESSES = 8;

const end = async (child: ChildProcess): Promise<void> => {
  const gone = once(child, 'exit');
  if (child.kill('SIGKILL')) await gone;
};

describe.each(STORE_KINDS)('processes that start at once on %s', (kind) => {
  let store: TestStore;

  beforeAll(async () => {
    store = await startStore(kind);
  });
  afterAll(() => store.stop());

  it(`have one schedule, one sweep under way and one pending (${PROCESSES} processes, once)`, async () => {
    const space = await store.space();
    const queue = await openRetentionQueue(space);
    const env = { ...process.env, REDIS_URL: undefined, DATABASE_URL: undefined, ...space.env };
    const children: ChildProcess[] = [];
    try {
      const sweeping = Array.from({ length: PROCESSES }, () => {
        const child = spawn(process.execPath, ['--import', 'tsx', CHILD], {
          env,
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        children.push(child);
        return once(createInterface({ input: child.stdout }), 'line');
      });
      await Promise.race(sweeping);
      // All of them are up; a sweep is under way, so its successor has been added.
      await eventually(async () => expect(await queue.getWorkersCount()).toBe(PROCESSES), { withinMs: 60_000 });
      await eventually(async () => expect(await queue.getDelayedCount()).toBe(1));
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
