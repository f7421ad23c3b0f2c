import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDeadLetters } from '../../../src/adapters/bullmq/dead-letters/dead-letters.js';
import { createCleanupWorker } from '../../../src/adapters/bullmq/worker/cleanup-worker.js';
import type { QueueWorker } from '../../../src/adapters/bullmq/worker/queue-worker.js';
import { type Clock, systemClock } from '../../../src/async/clock.js';
import { failure, type Result } from '../../../src/domain/result.js';
import { createJobConsumer } from '../../../src/jobs/consume.js';
import { addFailedJobs } from '../../support/queue/failed-jobs.js';
import { success } from '../../support/queue/queue-scripts.js';
import {
  PATIENT_CLOCK,
  type QueueSpace,
  startStore,
  STORE_KINDS,
  type TestStore,
} from '../../support/queue/queue-stores.js';
import { eventually } from '../../support/eventually.js';

const never = new AbortController().signal;
const MANY = 1_000;
const CLIENTS = 20;
const MEGABYTE = 1_024 * 1_024;

describe.each(STORE_KINDS)('dead letters on %s', (kind) => {
  let store: TestStore;
  let space: QueueSpace;
  let worker: QueueWorker;
  let letters: ReturnType<typeof createDeadLetters>;
  let deps: { backend: QueueSpace['backend']; clock: Clock; report: QueueSpace['report'] };
  /** How often each game's cleanup was tried, and what it is answered with. */
  let tried: Map<string, number>;
  let answer: (gameId: string) => Result;

  const add = async (gameId: string, options = {}): Promise<string> =>
    (await space.plain.add('cleanup_container', { gameId, opSource: 'gm_rest', sourceRef: 'r-1' }, options)).id ?? '';

  async function dead(...gameIds: readonly string[]): Promise<string[]> {
    const ids: string[] = [];
    // One after the other, so that they fail in this order.
    for (const gameId of gameIds) {
      const id = await add(gameId);
      await eventually(async () => expect(await space.plain.getJobState(id)).toBe('failed'));
      ids.push(id);
    }
    return ids;
  }

  beforeAll(async () => {
    store = await startStore(kind);
  });
  afterAll(() => store.stop());
  beforeEach(async () => {
    space = await store.space();
    deps = { backend: space.backend, clock: systemClock, report: space.report };
    tried = new Map();
    answer = () => failure('container_mismatch', 'another game’s container');
    const consumer = createJobConsumer(
      {
        cleanup: {
          handle: async ({ gameId }) => {
            tried.set(gameId, (tried.get(gameId) ?? 0) + 1);
            return answer(gameId);
          },
          refuse: async (_command, code, message) => failure(code, message),
        },
        clock: systemClock,
        random: () => 0.5,
        traceId: () => 'trace-1',
      },
      { conflictMaxAttempts: 1, conflictMaxDelayMs: 100, retryMaxAgeMs: 60_000 },
    );
    worker = createCleanupWorker({ ...deps, consumer, abandoned: consumer.abandoned });
    letters = createDeadLetters({ ...deps, clock: PATIENT_CLOCK });
    await worker.start();
  });
  afterEach(async () => {
    await worker.stop({ graceMs: 0 });
    await letters.close();
    await space.close();
  });

  it('dead letters count their tries anew when another tool puts them back without resetting anything', async () => {
    answer = () => failure('internal_error', 'a bug');
    const id = await add('a', { priority: 0 });
    // Three tries are allowed; the pauses between them are promoted away.
    await eventually(
      async () => {
        for (const job of await space.plain.getDelayed()) await job.promote().catch(() => undefined);
        expect(await space.plain.getJobState(id)).toBe('failed');
      },
      { withinMs: 20_000 },
    );
    answer = success;
    await (await space.plain.getJob(id))?.retry();
    await eventually(async () => expect(await space.plain.getJobState(id)).toBe('completed'));
    expect(tried.get('a')).toBe(4);
  });

  it(`a dead letter runs once when ${CLIENTS} clients replay it ${MANY} times at the same time`, async () => {
    const [id = ''] = await dead('a');
    answer = success;
    const clients = Array.from({ length: CLIENTS }, () => createDeadLetters({ ...deps, clock: PATIENT_CLOCK }));
    const answers = await Promise.all(
      Array.from({ length: MANY / CLIENTS }, () => clients.map((client) => client.replay(id))).flat(),
    );
    await Promise.all(clients.map((client) => client.close()));
    expect(answers.filter(({ status }) => status === 'replayed')).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 'live')).toHaveLength(MANY - 1);
    await eventually(async () => expect(await space.plain.getJobState(id)).toBe('completed'));
    expect(tried.get('a')).toBe(2);
  });

  it('dead letters with ten megabytes of data are paged, and each can still be shown whole', async () => {
    await worker.stop({ graceMs: 0 });
    const heavy = { gameId: 'heavy', opSource: 'gm_rest', junk: 'x'.repeat(10 * MEGABYTE) };
    const [first = ''] = await addFailedJobs(store, space, [
      ...Array.from({ length: 3 }, () => ({ data: heavy })),
      { data: { gameId: 'light', opSource: 'gm_rest' }, progress: { junk: 'x'.repeat(10 * MEGABYTE) } },
    ]);
    const { items } = await letters.list({ limit: 10 });
    expect(items.map(({ gameId }) => gameId).toSorted()).toEqual(['', '', '', 'light']);
    expect((await letters.find(first))?.payload).toEqual(heavy);
    expect(await letters.replayAll({}, { signal: never })).toEqual({ done: 4, skipped: 0 });
  });
});
