import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../src/domain/errors.js';
import { success } from '../../support/queue/queue-scripts.js';
import { openForEachTest } from '../hooks.js';
import type { QueueHarness, QueueHarnesses } from '../../support/queue/queue-harness.js';
import { neverAborted } from '../../support/calls.js';

const request = (gameId: string, opSource = 'lobby_stream', sourceRef = 'ref') => ({ gameId, opSource, sourceRef });
const HOUR_MS = 3_600_000;
const CALLERS = 50;

/** What every implementation of `CleanupQueue` promises. */
export function cleanupQueueContract(name: string, start: () => Promise<QueueHarnesses>): void {
  describe(`cleanup queue: ${name}`, () => {
    let queue: QueueHarness;
    openForEachTest(start, (opened) => {
      queue = opened;
    });

    const enqueue: QueueHarness['cleanupQueue']['enqueue'] = (requests) => queue.cleanupQueue.enqueue(requests);
    const enqueueOne = async (...args: Parameters<typeof request>) => {
      const [answer] = await enqueue([request(...args)]);
      if (answer === undefined) throw new RangeError('the queue gave no answer');
      return answer;
    };
    /** A live job that waits for its next try. */
    const delayed = (gameId: string, opSource: string) =>
      queue.add(request(gameId, opSource), { key: gameId, delayMs: HOUR_MS });

    it('a request is stored as the data of a waiting job', async () => {
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

    it(`${CALLERS} concurrent requests for one game become one job, and one of them is new`, async () => {
      const answers = await Promise.all(Array.from({ length: CALLERS }, () => enqueueOne('game-1')));
      expect(new Set(answers.map(({ jobId }) => jobId)).size).toBe(1);
      expect(answers.filter(({ coalesced }) => !coalesced)).toHaveLength(1);
    });

    it('a batch is answered in order, and requests for one game get one job', async () => {
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
    ])('requests for a game id %s are coalesced', async (_what, gameId) => {
      const first = await enqueueOne(gameId);
      expect(await enqueueOne(gameId)).toEqual({ ...first, coalesced: true });
      expect((await enqueueOne('another')).coalesced).toBe(false);
      expect(await queue.dataOf(first.jobId)).toMatchObject({ gameId });
    });

    it('a game id with spaces around it is the same game', async () => {
      const first = await enqueueOne('game-1');
      expect(await enqueueOne('  game-1 ')).toMatchObject({ jobId: first.jobId, coalesced: true });
    });

    it('a request joins a live job that another client deduplicates by game id', async () => {
      const jobId = await delayed('game-1', 'lobby_stream');
      expect(await enqueueOne('game-1')).toEqual({ jobId, gameId: 'game-1', state: 'delayed', coalesced: true });
    });

    it('a request after the end of a job becomes a new job', async () => {
      const first = await enqueueOne('game-1');
      await queue.startWorker();
      await queue.jobWaiter.wait([first.jobId], () => undefined, neverAborted);
      const second = await enqueueOne('game-1');
      expect(second).toMatchObject({ coalesced: false });
      expect(second.jobId).not.toBe(first.jobId);
    });

    it.each(['admin_rest', 'operator_cli'])('a request from %s makes a live delayed job run now', async (opSource) => {
      const jobId = await delayed('game-1', 'lobby_stream');
      const answer = { jobId, gameId: 'game-1', state: 'waiting', coalesced: true };
      expect(await enqueueOne('game-1', opSource)).toEqual(answer);
      expect(await queue.dataOf(jobId)).toEqual(request('game-1', 'lobby_stream'));
    });

    it.each(['lobby_stream', 'gm_rest', 'auto_ttl'])(
      'a request from %s leaves a live delayed job delayed',
      async (opSource) => {
        const jobId = await delayed('game-1', 'auto_ttl');
        expect(await enqueueOne('game-1', opSource)).toMatchObject({ jobId, state: 'delayed' });
        expect(await queue.dataOf(jobId)).toEqual(request('game-1', 'auto_ttl'));
      },
    );

    it('a waiting or delayed job of the sweep gets the data of a personal request', async () => {
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

    it('a personal request becomes a new job while the sweep’s job runs', async () => {
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
      await queue.jobWaiter.wait([swept.jobId, asked.jobId], () => undefined, neverAborted);
    });

    it('a batch with text that no store can hold is refused before any of it is stored', async () => {
      const lone = '\uD800';
      for (const bad of [request('a\0b'), request(lone), request('ok', 'x\0'), request('ok', 'gm_rest', `r${lone}`)]) {
        await expect(enqueue([request('fine'), bad])).rejects.toBeInstanceOf(TypeError);
      }
      expect(await enqueueOne('fine')).toMatchObject({ coalesced: false });
    });

    it('a closed queue is unavailable, and can be closed twice', async () => {
      await enqueueOne('game-1');
      await queue.cleanupQueue.close();
      await queue.cleanupQueue.close();
      await expect(enqueue([request('game-2')])).rejects.toBeInstanceOf(UnavailableError);
    });
  });
}
