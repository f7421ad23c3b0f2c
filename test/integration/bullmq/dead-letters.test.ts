import { beforeEach, describe, expect, it } from 'vitest';
import { createDeadLetters } from '../../../src/adapters/bullmq/dead-letters/dead-letters.js';
import { createCleanupWorker } from '../../../src/adapters/bullmq/worker/cleanup-worker.js';
import type { QueueWorker } from '../../../src/adapters/bullmq/worker/queue-worker.js';
import { systemClock } from '../../../src/async/clock.js';
import { failure, type Result } from '../../../src/domain/result.js';
import { createJobConsumer } from '../../../src/jobs/consume.js';
import { addFailedJobs } from '../../support/queue/failed-jobs.js';
import { success } from '../../support/queue/queue-scripts.js';
import { PATIENT_CLOCK, STORE_KINDS } from '../../support/queue/queue-stores.js';
import { eventually } from '../../support/eventually.js';
import { useQueueWorld } from '../../support/queue/queue-world.js';

const never = new AbortController().signal;
const MANY = 1_000;
const CLIENTS = 20;
const MEGABYTE = 1_024 * 1_024;

describe.each(STORE_KINDS)('dead letters on %s', (kind) => {
  const world = useQueueWorld(kind, { connectionTimeoutMillis: 30_000 });
  let worker: QueueWorker;
  /** How often each game's cleanup was tried, and its answer. */
  let tried: Map<string, number>;
  let answer: (gameId: string) => Result;

  const createLetters = () => {
    const letters = createDeadLetters({ ...world.deps(), clock: PATIENT_CLOCK });
    world.atEnd(letters.close);
    return letters;
  };

  beforeEach(async () => {
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
    worker = createCleanupWorker({ ...world.deps(), consumer, abandoned: consumer.abandoned });
    world.atEnd(() => worker.stop({ graceMs: 0 }));
    await worker.start();
  });

  it('a dead letter gets all its tries again when another tool puts it back without resetting its counters', async () => {
    answer = () => failure('internal_error', 'a bug');
    const id = await world.add('a', { priority: 0 });
    // Three tries are allowed; the pauses between them are skipped.
    for (const nth of [1, 2]) {
      await world.retried(id, { nth });
      await (await world.space.plain.getJob(id))?.promote();
    }
    await world.ended(id);
    expect(await world.stateOf(id)).toBe('failed');
    answer = success;
    await (await world.space.plain.getJob(id))?.retry();
    await world.ended(id, { nth: 2 });
    expect(await world.stateOf(id)).toBe('completed');
    expect(tried.get('a')).toBe(4);
  });

  it(`a dead letter runs once when ${CLIENTS} clients replay it ${MANY} times at the same time`, async () => {
    const id = await world.add('a');
    await world.ended(id);
    answer = success;
    const clients = Array.from({ length: CLIENTS }, createLetters);
    // Opened one after the other, and again on a busy machine: the program gives each first connection one second.
    for (const client of clients) await eventually(() => client.replay('no-such-job'));
    const answers = await Promise.all(
      Array.from({ length: MANY / CLIENTS }, () => clients.map((client) => client.replay(id))).flat(),
    );
    expect(answers.filter(({ status }) => status === 'replayed')).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 'live')).toHaveLength(MANY - 1);
    await world.ended(id, { nth: 2 });
    expect(await world.stateOf(id)).toBe('completed');
    expect(tried.get('a')).toBe(2);
  });

  it('dead letters with ten megabytes of data are paged, and each can still be shown whole', async () => {
    await worker.stop({ graceMs: 0 });
    const heavy = { gameId: 'heavy', opSource: 'gm_rest', junk: 'x'.repeat(10 * MEGABYTE) };
    const [first = ''] = await addFailedJobs(world.store, world.space, [
      ...Array.from({ length: 3 }, () => ({ data: heavy })),
      { data: { gameId: 'light', opSource: 'gm_rest' }, progress: { junk: 'x'.repeat(10 * MEGABYTE) } },
    ]);
    const letters = createLetters();
    const { items } = await letters.list({ limit: 10 });
    expect(items.map(({ gameId }) => gameId).toSorted()).toEqual(['', '', '', 'light']);
    expect((await letters.find(first))?.payload).toEqual(heavy);
    expect(await letters.replayAll({}, { signal: never })).toEqual({ done: 4, skipped: 0 });
  });
});
