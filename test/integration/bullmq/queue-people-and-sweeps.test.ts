import { beforeEach, describe, expect, it } from 'vitest';
import { createJobLookup } from '../../../src/adapters/bullmq/lookup/job-lookup.js';
import { type CleanupProducer, createCleanupQueue } from '../../../src/adapters/bullmq/producer/cleanup-queue.js';
import { completed, historyOf, retryAfter, scripted } from '../../support/queue/queue-scripts.js';
import { STORE_KINDS } from '../../support/queue/queue-stores.js';
import { useQueueWorld } from '../../support/queue/queue-world.js';
import { createGate } from '../../support/changes.js';

const swept = (gameId: string) => ({ gameId, opSource: 'auto_ttl' });
const asked = (gameId: string, sourceRef = 'ticket-1') => ({ gameId, opSource: 'operator_cli', sourceRef });
const expectedContainerId = 'a'.repeat(64);

describe.each(STORE_KINDS)('people and sweeps on %s', (kind) => {
  const world = useQueueWorld(kind);
  let queue: CleanupProducer;

  const enqueueOne = async (request: ReturnType<typeof swept> & { readonly expectedContainerId?: string }) => {
    const [answer] = await queue.enqueue([request]);
    if (answer === undefined) throw new Error('no answer');
    return answer;
  };
  const dataOf = async (jobId: string): Promise<unknown> => (await world.space.plain.getJob(jobId))?.data;
  /** A sweep's job that runs until it may end. */
  const running = async (gameId: string) => {
    const gate = createGate();
    const consumer = scripted(async ({ payload }) => {
      if (JSON.stringify(payload).includes('auto_ttl')) await gate.opened;
      return completed();
    });
    const { jobId } = await enqueueOne(swept(gameId));
    // One at a time: a request that comes meanwhile waits, so that its job can be looked at.
    await world.startCleanupWorker(consumer, { concurrency: 1 });
    await consumer.delivered(1);
    return { jobId, mayEnd: gate.open, consumer };
  };

  beforeEach(() => {
    queue = createCleanupQueue(world.deps());
    world.atEnd(queue.close);
  });

  it('a person who asks while the sweep’s job runs gets a job of their own, with the whole request', async () => {
    const { jobId, mayEnd, consumer } = await running('game-1');
    const answer = await enqueueOne({ ...asked('game-1'), expectedContainerId });
    expect(answer).toEqual({
      jobId: expect.not.stringMatching(jobId),
      gameId: 'game-1',
      state: 'waiting',
      coalesced: false,
    });
    expect(await dataOf(answer.jobId)).toEqual({ ...asked('game-1'), expectedContainerId });
    mayEnd();
    await consumer.delivered(2);
    expect(consumer.deliveries.map(({ payload }) => payload)).toEqual([
      swept('game-1'),
      { ...asked('game-1'), expectedContainerId },
    ]);
  });

  it('the next person joins the first person’s job, and other sources and sweeps join the running one', async () => {
    const { jobId, mayEnd } = await running('game-1');
    const first = await enqueueOne(asked('game-1'));
    expect(await enqueueOne(asked('game-1', 'ticket-2'))).toEqual({ ...first, coalesced: true });
    expect(await enqueueOne(swept('game-1'))).toMatchObject({ jobId, state: 'active', coalesced: true });
    const other = { gameId: 'game-1', opSource: 'gm_rest' };
    expect(await enqueueOne(other)).toMatchObject({ jobId, state: 'active', coalesced: true });
    mayEnd();
    await Promise.all([world.ended(jobId), world.ended(first.jobId)]);
    expect(await queue.counts()).toMatchObject({ active: 0, waiting: 0, completed: 2 });
    expect(await enqueueOne(asked('game-1', 'ticket-3'))).toMatchObject({ coalesced: false });
  });

  it('the key of a person’s own job is never a game id', async () => {
    const { mayEnd } = await running('game-1');
    const own = await enqueueOne(asked('game-1'));
    const stranger = await enqueueOne(asked('\u0001after-sweep:game-1'));
    expect(stranger).toMatchObject({ coalesced: false });
    expect(stranger.jobId).not.toBe(own.jobId);
    mayEnd();
  });

  it('people are served before a sweep’s whole backlog, also when they take over a job of it', async () => {
    const games = Array.from({ length: 300 }, (_, index) => `game-${index}`);
    await queue.enqueue(games.map(swept));
    expect(await queue.counts()).toMatchObject({ waiting: 300 });
    await queue.enqueue([asked('late'), { gameId: 'lobby', opSource: 'lobby_stream' }]);
    const taken = await enqueueOne(asked('game-299'));
    expect(taken).toMatchObject({ state: 'waiting', coalesced: true });
    expect(await dataOf(taken.jobId)).toEqual(asked('game-299'));
    const consumer = scripted();
    await world.startCleanupWorker(consumer, { concurrency: 1 });
    await consumer.delivered(302, { withinMs: 30_000 });
    const order = consumer.deliveries.map(({ payload }) => (payload as { gameId: string }).gameId);
    expect(order.slice(0, 3)).toEqual(['late', 'lobby', 'game-299']);
    // Oldest first, as the sweep asked.
    expect(order.slice(3)).toEqual(games.slice(0, 299));
  }, 40_000);

  it('a sweep’s job that waits for its next try runs at once when a person asks, before the others', async () => {
    const history = historyOf(1);
    const consumer = scripted(() => retryAfter(3_600_000, history));
    const { jobId } = await enqueueOne(swept('game-1'));
    const worker = await world.startCleanupWorker(consumer);
    await world.retried(jobId);
    expect(await queue.counts()).toMatchObject({ delayed: 1 });
    await worker.stop({ graceMs: 0 });
    const others = await queue.enqueue(['x', 'y', 'z'].map(swept));
    expect(others.every(({ coalesced }) => !coalesced)).toBe(true);
    const lookup = createJobLookup(world.deps());
    const before = await lookup.find(jobId);
    expect(before).toMatchObject({ state: 'delayed', tries: 1, attempts: history.attempts, ending: null });
    expect(before?.nextTryAt).toBeInstanceOf(Date);
    expect(await enqueueOne(asked('game-1'))).toMatchObject({ jobId, state: 'waiting', coalesced: true });
    expect(await lookup.find(jobId)).toMatchObject({ state: 'waiting', opSource: 'operator_cli', nextTryAt: null });
    await lookup.close();
    const second = scripted();
    await world.startCleanupWorker(second, { concurrency: 1 });
    await second.delivered(4);
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
