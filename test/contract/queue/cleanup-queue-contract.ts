import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../src/domain/errors.js';
import { success } from '../../support/queue/queue-scripts.js';
import type { QueueHarness, QueueHarnesses } from '../../support/queue/queue-harness.js';

const request = (gameId: string, opSource = 'lobby_stream', sourceRef = 'ref') => ({ gameId, opSource, sourceRef });
const never = new AbortController().signal;
const HOUR_MS = 3_600_000;
const CALLERS = 50;

/** What every implementation of `CleanupQueue` promises. */
export function cleanupQueueContract(name: string, start: () => Promise<QueueHarnesses>): void {
  describe(`cleanup queue: ${name}`, () => {
    let queues: QueueHarnesses;
    let queue: QueueHarness;
    beforeAll(async () => {
      queues = await start();
    });
    afterAll(() => queues.close());
    beforeEach(async () => {
      queue = await queues.open();
    });
    afterEach(() => queue.close());

    const enqueue: QueueHarness['cleanupQueue']['enqueue'] = (requests) => queue.cleanupQueue.enqueue(requests);
    const enqueueOne = async (...args: Parameters<typeof request>) => {
      const [answer] = await enqueue([request(...args)]);
      if (answer === undefined) throw new RangeError('the queue gave no answer');
      return answer;
    };
    /** A live job that waits for its next try. */
    const delayed = (gameId: string, opSource: string) =>
      queue.add(request(gameId, opSource), { key: gameId, delayMs: HOUR_MS });

    it('stores a request as the data of a waiting job', async () => {
      const full = { ...request('game-1'), expectedContainerId: 'a'.repeat(64) };
      const short = { gameId: 'game-2', opSource: 'auto_ttl' };
      const answers = await enqueue([full, short]);
      expect(answers).toEqual([
        { jobId: expect.any(String), gameId: 'game-1', state: 'waiting', coalesced: false },
        { jobId: expect.any(String), gameId: 'game-2', state: 'waiting', coalesced: false },
      ]);
      expect(await queue.dataOf(answers[0]?.jobId ?? '')).toEqual(full);
      expect(await queue.dataOf(answers[1]?.jobId ?? '')).toEqual(short);
    });

    it(`makes one job of ${CALLERS} racing requests for one game, and calls one of them new`, async () => {
      const answers = await Promise.all(Array.from({ length: CALLERS }, () => enqueueOne('game-1')));
      expect(new Set(answers.map(({ jobId }) => jobId)).size).toBe(1);
      expect(answers.filter(({ coalesced }) => !coalesced)).toHaveLength(1);
    });

    it('answers a batch in the order asked, requests for one game with one job', async () => {
      const live = await enqueueOne('game-2');
      const answers = await enqueue(['game-1', 'game-2', 'game-3', 'game-1'].map((id) => request(id)));
      expect(answers.map(({ gameId, coalesced }) => [gameId, coalesced])).toEqual([
        ['game-1', false],
        ['game-2', true],
        ['game-3', false],
        ['game-1', true],
      ]);
      expect(answers[1]?.jobId).toBe(live.jobId);
      expect(answers[3]?.jobId).toBe(answers[0]?.jobId);
      expect(await enqueue([])).toEqual([]);
    });

    it.each([
      ['of 256 emoji', '🎲'.repeat(256)],
      ['with colons', 'a:b:c'],
      ['like the queue’s own keys', '{rtmanager}:x'],
      ['with spaces around it', ' spaces inside '],
      ['in several scripts', '日本語 العربية ñ'],
      ['with quotes and a backslash', 'quote \' " \\ %s $1'],
      ['like a number', '-1'],
      ['that is empty', ''],
      ['with a tab', 'tab\there'],
      ['of 10,000 characters', 'x'.repeat(10_000)],
    ])('coalesces requests for a game id %s', async (_what, gameId) => {
      const first = await enqueueOne(gameId);
      expect(await enqueueOne(gameId)).toEqual({ ...first, coalesced: true });
      expect((await enqueueOne('another')).coalesced).toBe(false);
      expect(await queue.dataOf(first.jobId)).toMatchObject({ gameId });
    });

    it('takes an id with spaces around it for the same game', async () => {
      const first = await enqueueOne('game-1');
      expect(await enqueueOne('  game-1 ')).toMatchObject({ jobId: first.jobId, coalesced: true });
    });

    it('joins a live job that another client deduplicates by game id', async () => {
      const jobId = await delayed('game-1', 'lobby_stream');
      expect(await enqueueOne('game-1')).toEqual({ jobId, gameId: 'game-1', state: 'delayed', coalesced: true });
    });

    it('makes a new job once the one before has ended', async () => {
      const first = await enqueueOne('game-1');
      await queue.startWorker();
      await queue.jobWaiter.wait([first.jobId], () => undefined, never);
      const second = await enqueueOne('game-1');
      expect(second).toMatchObject({ coalesced: false });
      expect(second.jobId).not.toBe(first.jobId);
    });

    it.each(['admin_rest', 'operator_cli'])('lets a live delayed job run now when %s asks', async (opSource) => {
      const jobId = await delayed('game-1', 'lobby_stream');
      const answer = { jobId, gameId: 'game-1', state: 'waiting', coalesced: true };
      expect(await enqueueOne('game-1', opSource)).toEqual(answer);
      expect(await queue.dataOf(jobId)).toEqual(request('game-1', 'lobby_stream'));
    });

    it.each(['lobby_stream', 'gm_rest', 'auto_ttl'])(
      'leaves a live delayed job delayed when %s asks',
      async (opSource) => {
        const jobId = await delayed('game-1', 'auto_ttl');
        expect(await enqueueOne('game-1', opSource)).toMatchObject({ jobId, state: 'delayed' });
        expect(await queue.dataOf(jobId)).toEqual(request('game-1', 'auto_ttl'));
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
      expect(await queue.dataOf(waiting.jobId)).toEqual(request('game-1', 'admin_rest', 'ticket-1'));
      expect(await queue.dataOf(delayedId)).toEqual(request('game-2', 'operator_cli', 'ticket-2'));
    });

    it('gives a person a job of their own while the sweep’s job runs', async () => {
      let begin = (): void => undefined;
      let end = (): void => undefined;
      const begun = new Promise<void>((resolve) => (begin = resolve));
      const ended = new Promise<void>((resolve) => (end = resolve));
      queue.answer = async (gameId) => {
        begin();
        await ended;
        return success(gameId);
      };
      const swept = await enqueueOne('game-1', 'auto_ttl', '');
      await queue.startWorker();
      await begun;
      const asked = await enqueueOne('game-1', 'operator_cli', 'ticket-1');
      expect(asked.coalesced).toBe(false);
      expect(asked.jobId).not.toBe(swept.jobId);
      end();
      await queue.jobWaiter.wait([swept.jobId, asked.jobId], () => undefined, never);
    });

    it('refuses text that a store cannot hold, before anything of the batch is stored', async () => {
      const lone = '\uD800';
      for (const bad of [request('a\0b'), request(lone), request('ok', 'x\0'), request('ok', 'gm_rest', `r${lone}`)]) {
        await expect(enqueue([request('fine'), bad])).rejects.toBeInstanceOf(TypeError);
      }
      expect(await enqueueOne('fine')).toMatchObject({ coalesced: false });
    });

    it('is unavailable once it has been closed, and can be closed twice', async () => {
      await enqueueOne('game-1');
      await queue.cleanupQueue.close();
      await queue.cleanupQueue.close();
      await expect(enqueue([request('game-2')])).rejects.toBeInstanceOf(UnavailableError);
    });
  });
}
