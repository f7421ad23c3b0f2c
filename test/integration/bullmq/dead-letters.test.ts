import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDeadLetters } from '../../../src/adapters/bullmq/dead-letters/dead-letters.js';
import { createJobLookup } from '../../../src/adapters/bullmq/lookup/job-lookup.js';
import { createCleanupWorker } from '../../../src/adapters/bullmq/worker/cleanup-worker.js';
import type { QueueWorker } from '../../../src/adapters/bullmq/worker/queue-worker.js';
import { systemClock } from '../../../src/async/clock.js';
import { failure, type Result } from '../../../src/domain/result.js';
import { createJobConsumer } from '../../../src/jobs/consume.js';
import { success } from '../../support/queue/queue-scripts.js';
import { type QueueSpace, startStore, STORE_KINDS, type TestStore } from '../../support/queue/queue-stores.js';
import { eventually } from '../../support/eventually.js';
import { InvalidPageError } from '../../../src/domain/errors.js';

const never = new AbortController().signal;
const MANY = 1_000;
const CLIENTS = 20;

describe.each(STORE_KINDS)('dead letters on %s', (kind) => {
  let store: TestStore;
  let space: QueueSpace;
  let worker: QueueWorker;
  let letters: ReturnType<typeof createDeadLetters>;
  let deps: { backend: QueueSpace['backend']; clock: typeof systemClock; report: QueueSpace['report'] };
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
    letters = createDeadLetters(deps);
    await worker.start();
  });
  afterEach(async () => {
    await worker.stop({ graceMs: 0 });
    await letters.close();
    await space.close();
  });

  it('are listed newest first, page by page, with game, code and message', async () => {
    const ids = await dead('a', 'b', 'c');
    const first = await letters.list({ limit: 2 });
    expect(first.items.map(({ jobId }) => jobId)).toEqual([ids[2], ids[1]]);
    expect(first.items[0]).toMatchObject({
      gameId: 'c',
      opSource: 'gm_rest',
      sourceRef: 'r-1',
      code: 'container_mismatch',
      message: 'another game’s container',
      replays: 0,
    });
    const rest = await letters.list({ limit: 2, after: first.next ?? '' });
    expect(rest.items.map(({ gameId }) => gameId)).toEqual(['a']);
    expect(rest.next).toBeNull();
  });

  it('are found by code, by game and by age', async () => {
    answer = (gameId) => failure(gameId === 'b' ? 'not_found' : 'container_mismatch', 'no');
    const [a, b] = await dead('a', 'b');
    const idsOf = async (filter: object) =>
      (await letters.list({ limit: 10, ...filter })).items.map(({ jobId }) => jobId);
    expect(await idsOf({ code: 'not_found' })).toEqual([b]);
    expect(await idsOf({ gameId: ' a ' })).toEqual([a]);
    const story = await letters.find(b ?? '');
    expect(await idsOf({ failedBefore: story?.failedAt })).toEqual([a]);
    expect(await letters.countByCode()).toEqual({ not_found: 1, container_mismatch: 1 });
    expect(await letters.among(['b', 'nobody'])).toEqual(new Map([['b', { jobId: b, code: 'not_found' }]]));
    expect([...(await letters.among('all')).keys()].toSorted()).toEqual(['a', 'b']);
  });

  it('refuse a cursor that is none', async () => {
    await expect(letters.list({ limit: 1, after: 'x; DROP' })).rejects.toBeInstanceOf(InvalidPageError);
    await expect(letters.list({ limit: 0 })).rejects.toBeInstanceOf(InvalidPageError);
  });

  it('tell their story: payload, each failed try with time and trace, and the life before a replay', async () => {
    const [id = ''] = await dead('a');
    expect(await letters.replay(id)).toEqual({ status: 'replayed' });
    await eventually(async () => expect((await letters.find(id))?.replays).toBe(1));
    const story = await letters.find(id);
    const attempt = { attempt: 1, code: 'container_mismatch', message: 'another game’s container', traceId: 'trace-1' };
    expect(story).toMatchObject({
      jobName: 'cleanup_container',
      payload: { gameId: 'a', opSource: 'gm_rest', sourceRef: 'r-1' },
      attempts: [attempt],
      pastLives: [{ reason: 'container_mismatch: another game’s container', attempts: [attempt] }],
    });
  });

  it('begin a new life also when another tool puts them back without resetting anything', async () => {
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

  it('run once however many replay one at the same time', async () => {
    const [id = ''] = await dead('a');
    answer = success;
    const clients = Array.from({ length: CLIENTS }, () => createDeadLetters(deps));
    const answers = await Promise.all(
      Array.from({ length: MANY / CLIENTS }, () => clients.map((client) => client.replay(id))).flat(),
    );
    await Promise.all(clients.map((client) => client.close()));
    expect(answers.filter(({ status }) => status === 'replayed')).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 'live')).toHaveLength(MANY - 1);
    await eventually(async () => expect(await space.plain.getJobState(id)).toBe('completed'));
    expect(tried.get('a')).toBe(2);
  });

  it('say what a job is that is none', async () => {
    answer = success;
    const id = await add('fine');
    await eventually(async () => expect(await space.plain.getJobState(id)).toBe('completed'));
    expect(await letters.replay(id)).toEqual({ status: 'live', state: 'completed' });
    expect(await letters.purge(id)).toEqual({ status: 'live', state: 'completed' });
    expect(await space.plain.getJobState(id)).toBe('completed');
    expect(await letters.find(id)).toBeUndefined();
    for (const nobody of ['nobody', 'meta', 'wait', 'a:b', 'x\0y']) {
      expect(await letters.purge(nobody)).toEqual({ status: 'missing' });
      expect(await letters.find(nobody)).toBeUndefined();
    }
    expect(await letters.replay('nobody')).toEqual({ status: 'missing' });
  });

  it('are gone when they are purged', async () => {
    const [a = '', b] = await dead('a', 'b');
    expect(await letters.purge(a)).toEqual({ status: 'purged' });
    expect(await letters.purge(a)).toEqual({ status: 'missing' });
    expect((await letters.list({ limit: 10 })).items.map(({ jobId }) => jobId)).toEqual([b]);
    expect(await space.plain.getJob(a)).toBeUndefined();
  });

  it('are replayed all of a kind, each once, and what fails again is a dead letter again', async () => {
    answer = (gameId) => failure(gameId === 'c' ? 'not_found' : 'container_mismatch', 'no');
    await dead('a', 'b', 'c');
    const told: number[] = [];
    const tally = await letters.replayAll(
      { code: 'container_mismatch' },
      { signal: never, onProgress: ({ done, total }) => void told.push(done / total) },
    );
    expect(tally).toEqual({ done: 2, skipped: 0 });
    expect(told.at(-1)).toBe(1);
    await eventually(async () => expect(await letters.countByCode()).toEqual({ container_mismatch: 2, not_found: 1 }));
    expect([...tried.values()].sort((a, b) => a - b)).toEqual([1, 2, 2]);
    expect(await letters.purgeAll({}, { signal: never })).toEqual({ done: 3, skipped: 0 });
    expect(await letters.countByCode()).toEqual({});
  });

  it('hold their game’s key again while they live, and give it back when they end', async () => {
    const { id = '' } = await space.plain.add(
      'cleanup_container',
      { gameId: 'a', opSource: 'gm_rest' },
      { deduplication: { id: 'a' } },
    );
    await eventually(async () => expect(await space.plain.getJobState(id)).toBe('failed'));
    await worker.stop({ graceMs: 0 });
    await letters.replay(id);
    expect(await space.plain.getDeduplicationJobId('a')).toBe(id);
    const { id: further } = await space.plain.add('cleanup_container', {}, { deduplication: { id: 'a' } });
    expect(further).toBe(id);
    await space.plain.remove(id);
    expect(await space.plain.getDeduplicationJobId('a')).toBeNull();
  });

  it('can be looked up as jobs, with their ending', async () => {
    const lookup = createJobLookup(deps);
    const [id = ''] = await dead('a');
    expect(await lookup.find(id)).toMatchObject({
      gameId: 'a',
      state: 'failed',
      tries: 1,
      ending: { state: 'failed', reason: 'container_mismatch: another game’s container' },
      attempts: [{ code: 'container_mismatch' }],
      nextTryAt: null,
    });
    for (const nobody of ['nobody', 'meta', 'wait', 'id', 'x\0y', '']) {
      expect(await lookup.find(nobody)).toBeUndefined();
    }
    await lookup.close();
  });
});
