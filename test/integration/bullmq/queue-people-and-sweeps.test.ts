import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createJobLookup } from '../../../src/adapters/bullmq/lookup/job-lookup.js';
import { type CleanupProducer, createCleanupQueue } from '../../../src/adapters/bullmq/producer/cleanup-queue.js';
import { createCleanupWorker } from '../../../src/adapters/bullmq/worker/cleanup-worker.js';
import type { QueueWorker } from '../../../src/adapters/bullmq/worker/queue-worker.js';
import { systemClock } from '../../../src/async/clock.js';
import {
  completed,
  abandonedByQueue,
  historyOf,
  retryAfter,
  type ScriptedConsumer,
  scripted,
} from '../../support/queue/queue-scripts.js';
import { type QueueSpace, startStore, STORE_KINDS, type TestStore } from '../../support/queue/queue-stores.js';
import { eventually } from '../../support/eventually.js';

const swept = (gameId: string) => ({ gameId, opSource: 'auto_ttl' });
const asked = (gameId: string, sourceRef = 'ticket-1') => ({ gameId, opSource: 'operator_cli', sourceRef });
const expectedContainerId = 'a'.repeat(64);

describe.each(STORE_KINDS)('people and sweeps on %s', (kind) => {
  let store: TestStore;
  let space: QueueSpace;
  let queue: CleanupProducer;
  let worker: QueueWorker | undefined;

  const work = async (consumer: ScriptedConsumer, concurrency = 4) => {
    const deps = { backend: space.backend, clock: systemClock, report: space.report, abandoned: abandonedByQueue };
    worker = createCleanupWorker({ ...deps, consumer }, { concurrency });
    await worker.start();
  };
  const enqueueOne = async (request: ReturnType<typeof swept> & { readonly expectedContainerId?: string }) => {
    const [answer] = await queue.enqueue([request]);
    if (answer === undefined) throw new Error('no answer');
    return answer;
  };
  const dataOf = async (jobId: string): Promise<unknown> => (await space.plain.getJob(jobId))?.data;
  /** A sweep's job that runs until it is let go. */
  const running = async (gameId: string) => {
    let letGo = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const consumer = scripted(async ({ payload }) => {
      if (JSON.stringify(payload).includes('auto_ttl')) await gate;
      return completed();
    });
    const { jobId } = await enqueueOne(swept(gameId));
    // One at a time: what is asked for meanwhile waits to be looked at.
    await work(consumer, 1);
    await eventually(() => expect(consumer.deliveries).toHaveLength(1));
    return { jobId, letGo, consumer };
  };

  beforeAll(async () => {
    store = await startStore(kind);
  });
  afterAll(() => store.stop());
  beforeEach(async () => {
    space = await store.space();
    queue = createCleanupQueue({ backend: space.backend, clock: systemClock, report: space.report });
  });
  afterEach(async () => {
    await worker?.stop({ graceMs: 0 });
    worker = undefined;
    await queue.close();
    await space.close();
  });

  it('a person who asks while the sweep’s job runs gets a job of their own, with the whole request', async () => {
    const { jobId, letGo, consumer } = await running('game-1');
    const answer = await enqueueOne({ ...asked('game-1'), expectedContainerId });
    expect(answer).toEqual({
      jobId: expect.not.stringMatching(jobId),
      gameId: 'game-1',
      state: 'waiting',
      coalesced: false,
    });
    expect(await dataOf(answer.jobId)).toEqual({ ...asked('game-1'), expectedContainerId });
    letGo();
    await eventually(() => expect(consumer.deliveries).toHaveLength(2));
    expect(consumer.deliveries.map(({ payload }) => payload)).toEqual([
      swept('game-1'),
      { ...asked('game-1'), expectedContainerId },
    ]);
  });

  it('the next person joins that job, and other sources and sweeps join the running one', async () => {
    const { jobId, letGo } = await running('game-1');
    const first = await enqueueOne(asked('game-1'));
    expect(await enqueueOne(asked('game-1', 'ticket-2'))).toEqual({ ...first, coalesced: true });
    expect(await enqueueOne(swept('game-1'))).toMatchObject({ jobId, state: 'active', coalesced: true });
    const other = { gameId: 'game-1', opSource: 'gm_rest' };
    expect(await enqueueOne(other)).toMatchObject({ jobId, state: 'active', coalesced: true });
    letGo();
    await eventually(async () => expect(await queue.counts()).toMatchObject({ active: 0, waiting: 0, completed: 2 }));
    expect(await enqueueOne(asked('game-1', 'ticket-3'))).toMatchObject({ coalesced: false });
  });

  it('the key of such a job is never a game id', async () => {
    const { letGo } = await running('game-1');
    const own = await enqueueOne(asked('game-1'));
    const stranger = await enqueueOne(asked('\u0001after-sweep:game-1'));
    expect(stranger).toMatchObject({ coalesced: false });
    expect(stranger.jobId).not.toBe(own.jobId);
    letGo();
  });

  it('people are served before a sweep’s whole backlog, also those who take a job of it over', async () => {
    const games = Array.from({ length: 300 }, (_, index) => `game-${index}`);
    await queue.enqueue(games.map(swept));
    expect(await queue.counts()).toMatchObject({ waiting: 300 });
    await queue.enqueue([asked('late'), { gameId: 'lobby', opSource: 'lobby_stream' }]);
    const taken = await enqueueOne(asked('game-299'));
    expect(taken).toMatchObject({ state: 'waiting', coalesced: true });
    expect(await dataOf(taken.jobId)).toEqual(asked('game-299'));
    const consumer = scripted();
    await work(consumer, 1);
    await eventually(() => expect(consumer.deliveries).toHaveLength(302), { withinMs: 30_000 });
    const order = consumer.deliveries.map(({ payload }) => (payload as { gameId: string }).gameId);
    expect(order.slice(0, 3)).toEqual(['late', 'lobby', 'game-299']);
    // Oldest first, as the sweep asked.
    expect(order.slice(3)).toEqual(games.slice(0, 299));
  }, 40_000);

  it('a sweep’s job that waits for its next try runs at once when a person asks, before the others', async () => {
    const history = historyOf(1);
    const consumer = scripted(() => retryAfter(3_600_000, history));
    const { jobId } = await enqueueOne(swept('game-1'));
    await work(consumer);
    await eventually(async () => expect(await queue.counts()).toMatchObject({ delayed: 1 }));
    await worker?.stop({ graceMs: 0 });
    const others = await queue.enqueue(['x', 'y', 'z'].map(swept));
    expect(others.every(({ coalesced }) => !coalesced)).toBe(true);
    const lookup = createJobLookup({ backend: space.backend, clock: systemClock, report: space.report });
    const before = await lookup.find(jobId);
    expect(before).toMatchObject({ state: 'delayed', tries: 1, attempts: history.attempts, ending: null });
    expect(before?.nextTryAt).toBeInstanceOf(Date);
    expect(await enqueueOne(asked('game-1'))).toMatchObject({ jobId, state: 'waiting', coalesced: true });
    expect(await lookup.find(jobId)).toMatchObject({ state: 'waiting', opSource: 'operator_cli', nextTryAt: null });
    await lookup.close();
    const second = scripted();
    await work(second, 1);
    await eventually(() => expect(second.deliveries).toHaveLength(4));
    expect(second.deliveries[0]?.jobId).toBe(jobId);
  });

  it('a sweep that enqueues thousands of games learns which are new', async () => {
    const games = Array.from({ length: 2_000 }, (_, index) => `game-${index}`);
    const first = await queue.enqueue(games.slice(0, 1_000).map(swept));
    const answers = await queue.enqueue(games.map(swept));
    expect(answers.map(({ coalesced }) => coalesced)).toEqual(games.map((_game, index) => index < 1_000));
    expect(answers.slice(0, 1_000).map(({ jobId }) => jobId)).toEqual(first.map(({ jobId }) => jobId));
    expect(await queue.counts()).toMatchObject({ waiting: 2_000 });
  }, 30_000);
});
