import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CleanupProducer, createCleanupQueue } from '../../../src/adapters/bullmq/producer/cleanup-queue.js';
import { type Clock, systemClock } from '../../../src/async/clock.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import { type QueueSpace, startStore, STORE_KINDS, type TestStore } from '../../support/queue/queue-stores.js';

const request = (gameId: string, opSource = 'lobby_stream', sourceRef = 'ref') => ({ gameId, opSource, sourceRef });
const HOUR_MS = 3_600_000;
// Fifty at once may take longer than a caller is kept waiting; here it counts who wins, not when.
const PATIENT: Clock = { ...systemClock, after: (delayMs, fn) => systemClock.after(delayMs * 30, fn) };

describe.each(STORE_KINDS)('the cleanup queue on %s', (kind) => {
  let store: TestStore;
  let space: QueueSpace;
  let queue: CleanupProducer;

  const producer = (clock: Clock = systemClock): CleanupProducer =>
    createCleanupQueue({ backend: space.backend, clock, report: space.report });
  const enqueueOne = async (...args: Parameters<typeof request>) => {
    const [answer] = await queue.enqueue([request(...args)]);
    if (answer === undefined) throw new Error('no answer');
    return answer;
  };
  /** A live job that waits for its next try. */
  const delayed = async (gameId: string, opSource: string) => {
    const job = await space.plain.add('cleanup_container', request(gameId, opSource), {
      deduplication: { id: gameId },
      delay: HOUR_MS,
    });
    return job.id ?? '';
  };
  const stored = async (jobId: string) => {
    const job = await space.plain.getJob(jobId);
    if (job === undefined) throw new Error('the job is gone');
    return job;
  };

  beforeAll(async () => {
    store = await startStore(kind);
  });
  afterAll(() => store.stop());
  beforeEach(async () => {
    space = await store.space();
    queue = producer();
  });
  afterEach(async () => {
    await queue.close();
    await space.close();
  });

  it('stores a job any BullMQ client can read, kept when it fails and, up to a bound, when it completes', async () => {
    const expectedContainerId = 'a'.repeat(64);
    const [answer] = await queue.enqueue([{ ...request('game-1'), expectedContainerId }]);
    expect(answer).toEqual({ jobId: expect.any(String), gameId: 'game-1', state: 'waiting', coalesced: false });
    const job = await stored(answer?.jobId ?? '');
    expect(job.name).toBe('cleanup_container');
    expect(job.data).toEqual({ ...request('game-1'), expectedContainerId });
    const bound = kind === 'redis' ? { count: 10_000, age: 86_400 } : { age: 86_400 };
    expect(job.opts).toMatchObject({ removeOnFail: false, removeOnComplete: bound });
  });

  it('leaves out what the request leaves out', async () => {
    const [answer] = await queue.enqueue([{ gameId: 'game-1', opSource: 'auto_ttl' }]);
    expect((await stored(answer?.jobId ?? '')).data).toEqual({ gameId: 'game-1', opSource: 'auto_ttl' });
  });

  it('makes one job of fifty racing requests for one game, and only one of them is told it is new', async () => {
    const racers = [producer(PATIENT), producer(PATIENT)] as const;
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => racers[index % 2 === 0 ? 0 : 1].enqueue([request('game-1')])),
    );
    const flat = answers.flat();
    expect(new Set(flat.map(({ jobId }) => jobId)).size).toBe(1);
    expect(flat.filter(({ coalesced }) => !coalesced)).toHaveLength(1);
    expect(await space.plain.getWaitingCount()).toBe(1);
    await Promise.all(racers.map((racer) => racer.close()));
  });

  it('answers a batch in the order asked, requests for one game with one job', async () => {
    const live = await enqueueOne('game-2');
    const answers = await queue.enqueue(['game-1', 'game-2', 'game-3', 'game-1'].map((id) => request(id)));
    expect(answers.map(({ gameId, coalesced }) => [gameId, coalesced])).toEqual([
      ['game-1', false],
      ['game-2', true],
      ['game-3', false],
      ['game-1', true],
    ]);
    expect(answers[1]?.jobId).toBe(live.jobId);
    expect(answers[3]?.jobId).toBe(answers[0]?.jobId);
    expect(await queue.enqueue([])).toEqual([]);
  });

  it('adds three thousand games, each once', async () => {
    const answers = await queue.enqueue(Array.from({ length: 3_000 }, (_, index) => request(`game-${index}`)));
    expect(answers).toHaveLength(3_000);
    expect(answers.every(({ gameId, coalesced }, index) => gameId === `game-${index}` && !coalesced)).toBe(true);
    expect(await queue.counts()).toEqual({ waiting: 3_000, delayed: 0, active: 0, completed: 0, failed: 0 });
  });

  it.each([
    '🎲'.repeat(256),
    'a:b:c',
    '{rtmanager}:x',
    ' spaces inside ',
    '日本語 العربية ñ',
    'quote \' " \\ %s $1',
    '-1',
    '',
    'tab\there',
    'x'.repeat(10_000),
  ])('coalesces requests for the game id %j', async (gameId) => {
    const first = await enqueueOne(gameId);
    const second = await enqueueOne(gameId);
    expect(second).toEqual({ ...first, coalesced: true });
    expect((await enqueueOne('another')).coalesced).toBe(false);
    expect((await stored(first.jobId)).data).toMatchObject({ gameId });
  });

  it('takes an id with spaces around it for the same game', async () => {
    const first = await enqueueOne('game-1');
    expect(await enqueueOne('  game-1 ')).toMatchObject({ jobId: first.jobId, coalesced: true });
  });

  it('joins a live job that another BullMQ client deduplicates by game id', async () => {
    const jobId = await delayed('game-1', 'lobby_stream');
    expect(await enqueueOne('game-1')).toEqual({ jobId, gameId: 'game-1', state: 'delayed', coalesced: true });
  });

  it.each(['admin_rest', 'operator_cli'])('lets a live delayed job run now when %s asks', async (opSource) => {
    const jobId = await delayed('game-1', 'lobby_stream');
    expect(await enqueueOne('game-1', opSource)).toEqual({
      jobId,
      gameId: 'game-1',
      state: 'waiting',
      coalesced: true,
    });
    expect((await stored(jobId)).data).toEqual(request('game-1', 'lobby_stream'));
  });

  it.each(['lobby_stream', 'gm_rest', 'auto_ttl'])(
    'leaves a live delayed job delayed when %s asks',
    async (opSource) => {
      const jobId = await delayed('game-1', 'auto_ttl');
      expect(await enqueueOne('game-1', opSource)).toMatchObject({ jobId, state: 'delayed' });
      expect((await stored(jobId)).data).toEqual(request('game-1', 'auto_ttl'));
    },
  );

  it('gives a waiting or delayed job of the sweep to the person who asks', async () => {
    const waiting = await enqueueOne('game-1', 'auto_ttl', '');
    const delayedId = await delayed('game-2', 'auto_ttl');
    expect(await enqueueOne('game-1', 'admin_rest', 'ticket-1')).toMatchObject({
      jobId: waiting.jobId,
      state: 'waiting',
    });
    expect(await enqueueOne('game-2', 'operator_cli', 'ticket-2')).toMatchObject({
      jobId: delayedId,
      state: 'waiting',
    });
    expect((await stored(waiting.jobId)).data).toEqual(request('game-1', 'admin_rest', 'ticket-1'));
    expect((await stored(delayedId)).data).toEqual(request('game-2', 'operator_cli', 'ticket-2'));
  });

  it('refuses text that a store cannot hold, before anything of the batch is stored', async () => {
    const lone = '\uD800';
    for (const bad of [request('a\0b'), request(lone), request('ok', 'x\0'), request('ok', 'gm_rest', `r${lone}`)]) {
      await expect(queue.enqueue([request('fine'), bad])).rejects.toBeInstanceOf(TypeError);
    }
    expect(await space.plain.getWaitingCount()).toBe(0);
  });

  it('refuses at once after it has been closed', async () => {
    await enqueueOne('game-1');
    await queue.close();
    await queue.close();
    const startedMs = performance.now();
    await expect(queue.enqueue([request('game-2')])).rejects.toBeInstanceOf(UnavailableError);
    await expect(queue.counts()).rejects.toBeInstanceOf(UnavailableError);
    expect(performance.now() - startedMs).toBeLessThan(200);
  });

  it('can be closed unused', async () => {
    await expect(producer().close()).resolves.toBeUndefined();
  });
});
