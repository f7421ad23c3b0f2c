import { describe, expect, it } from 'vitest';
import { InvalidPageError } from '../../../src/domain/errors.js';
import { failure } from '../../../src/domain/result.js';
import type { DeadLetterFilter } from '../../../src/jobs/dead-letters.js';
import { openForEachTest } from '../hooks.js';
import { allPages, neverAborted } from '../../support/calls.js';
import type { QueueHarness, QueueHarnesses } from '../../support/queue/queue-harness.js';

const cleanup = (gameId: string) => ({ gameId, opSource: 'gm_rest', sourceRef: 'r-1' });
const MISMATCH = failure('container_mismatch', 'another game’s container');
const CALLERS = 50;

/** What every implementation of `DeadLetters` and `DeadLetterGames` promises. */
export function deadLettersContract(name: string, start: () => Promise<QueueHarnesses>): void {
  describe(`dead letters: ${name}`, () => {
    let queue: QueueHarness;
    let letters: QueueHarness['deadLetters'];

    const untilEnded = (...jobIds: readonly string[]) => queue.jobWaiter.wait(jobIds, () => undefined, neverAborted);

    /** Makes one dead letter for each game, one after the other, so that they fail in this order. */
    async function dead(...gameIds: readonly string[]): Promise<string[]> {
      queue.answer = (gameId) => (gameId === 'unknown' ? failure('not_found', 'no record') : MISMATCH);
      await queue.startWorker();
      const ids: string[] = [];
      for (const gameId of gameIds) {
        const id = await queue.add(cleanup(gameId));
        await untilEnded(id);
        ids.push(id);
      }
      return ids;
    }

    /** Every page of job ids, in order. */
    async function idPages(limit: number, filter: DeadLetterFilter = {}): Promise<readonly (readonly string[])[]> {
      const pages = await allPages((after) => letters.list({ limit, after, ...filter }));
      return pages.map(({ items }) => items.map(({ jobId }) => jobId));
    }

    openForEachTest(start, (opened) => {
      queue = opened;
      letters = queue.deadLetters;
    });

    describe('the reader', () => {
      it('the list shows dead letters by page, newest first, with game, code and message', async () => {
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

      it('the filters select dead letters by code, by game and by age', async () => {
        const [a, unknown] = await queue.addFailed([
          { data: cleanup('a'), reason: 'conflict: it runs', failedAtMs: 1_000 },
          { data: cleanup('unknown'), failedAtMs: 2_000 },
        ]);
        expect(await idPages(10, { code: 'not_found' })).toEqual([[unknown]]);
        expect(await idPages(10, { gameId: ' a ' })).toEqual([[a]]);
        expect(await idPages(10, { failedBefore: new Date(2_000) })).toEqual([[a]]);
        expect(await letters.countByCode()).toEqual({ not_found: 1, conflict: 1 });
        const unknownGame = ['unknown', { jobId: unknown, code: 'not_found' }] as const;
        expect(await letters.among(['unknown', 'without'])).toEqual(new Map([unknownGame]));
        expect([...(await letters.among('all')).keys()].toSorted()).toEqual(['a', 'unknown']);
      });

      it('a game with two dead letters is represented by the newest', async () => {
        const [, newest] = await queue.addFailed([
          { data: cleanup('a'), failedAtMs: 1_000 },
          { data: cleanup(' a '), reason: 'conflict: it runs', failedAtMs: 2_000 },
        ]);
        expect(await letters.among(['a'])).toEqual(new Map([['a', { jobId: newest, code: 'conflict' }]]));
      });

      it('an unknown cursor and a limit of 0 are refused', async () => {
        await expect(letters.list({ limit: 1, after: 'x; DROP' })).rejects.toBeInstanceOf(InvalidPageError);
        await expect(letters.list({ limit: 0 })).rejects.toBeInstanceOf(InvalidPageError);
      });

      it('a dead letter shows its payload, each failed try with time and trace, and the runs before a replay', async () => {
        const [id = ''] = await dead('a');
        expect(await letters.replay(id)).toEqual({ status: 'replayed' });
        await untilEnded(id);
        const attempt = { attempt: 1, code: MISMATCH.errorCode, message: MISMATCH.errorMessage, traceId: 'trace-1' };
        expect(await letters.find(id)).toMatchObject({
          jobName: 'cleanup_container',
          payload: cleanup('a'),
          attempts: [attempt],
          pastLives: [{ reason: 'container_mismatch: another game’s container', attempts: [attempt] }],
          replays: 1,
        });
      });

      it.each([1, 2, 7, 50])(
        'jobs that failed in one millisecond appear on one page each, %i a page',
        async (limit) => {
          const failedAtMs = [3_000, 2_000, 2_000, 2_000, 2_000, 2_000, 1_000];
          const ids = await queue.addFailed(failedAtMs.map((at) => ({ data: cleanup('g'), failedAtMs: at })));
          const pages = await idPages(limit);
          expect(pages.flat().toSorted()).toEqual([...ids].sort());
          expect([pages.flat().at(0), pages.flat().at(-1)]).toEqual([ids.at(0), ids.at(-1)]);
          expect(pages.every(({ length }) => length <= limit)).toBe(true);
        },
      );

      it('a listing continues where a page ended after that page’s last job was replayed or purged', async () => {
        await queue.addFailed(Array.from({ length: 6 }, () => ({ data: cleanup('g'), failedAtMs: 2_000 })));
        const expected = (await idPages(50)).flat();
        const first = await letters.list({ limit: 2 });
        await letters.purge(expected[1] ?? '');
        const second = await letters.list({ limit: 2, after: first.next ?? '' });
        await letters.replay(expected[3] ?? '');
        const third = await letters.list({ limit: 2, after: second.next ?? '' });
        expect([first, second, third].flatMap(({ items }) => items.map(({ jobId }) => jobId))).toEqual(expected);
      });

      it.each([
        ['nothing', null],
        ['text', 'g-1'],
        ['a number', 7],
        ['a list', ['gameId']],
        ['fields of other types', { gameId: 7, opSource: null, sourceRef: {} }],
        ['a prototype', { __proto__: null, constructor: 'gameId', toString: 1 }],
      ])('a dead letter whose data is %s shows no game', async (_what, data) => {
        const [id] = await queue.addFailed([{ data }]);
        const { items } = await letters.list({ limit: 10 });
        expect(items).toMatchObject([{ jobId: id, gameId: '', opSource: '', sourceRef: '' }]);
        expect(await letters.among(['7'])).toEqual(new Map());
      });

      it.each(['', 'job stalled more than allowable limit', 'Error: x', 'nonsense: y', ': ', 'x'.repeat(100_000)])(
        'a reason without a code of the catalogue counts as internal_error (%#)',
        async (reason) => {
          await queue.addFailed([{ data: cleanup('g'), reason }]);
          expect(await letters.countByCode()).toEqual({ internal_error: 1 });
          const { items } = await letters.list({ limit: 1, code: 'internal_error' });
          expect(reason.startsWith(items[0]?.message ?? 'no message')).toBe(true);
        },
      );

      it('an unreadable history is shown as an empty one', async () => {
        const progress = { counts: 'many', pastLives: [1, 2] };
        const [id = ''] = await queue.addFailed([{ data: cleanup('g'), progress }]);
        expect((await letters.list({ limit: 1 })).items).toMatchObject([{ replays: 0 }]);
        expect(await letters.find(id)).toMatchObject({ attempts: [], pastLives: [] });
        expect(await letters.replay(id)).toEqual({ status: 'replayed' });
      });

      it.each(["a'; DROP TABLE job; --", '<script>', '🎲{rtmanager}', '..', 'id with spaces', '%2e%2e', '\u0001'])(
        'the job id %j can be listed, found and purged',
        async (jobId) => {
          await queue.addFailed([{ data: cleanup('g'), jobId }, { data: cleanup('g') }]);
          expect((await idPages(1)).flat()).toContain(jobId);
          expect(await letters.find(jobId)).toMatchObject({ jobId });
          expect(await letters.purge(jobId)).toEqual({ status: 'purged' });
          expect((await idPages(1)).flat()).toHaveLength(1);
        },
      );
    });

    describe('replay and purge of one', () => {
      it(`a job runs once when ${CALLERS} callers replay it at the same time`, async () => {
        const [id = ''] = await dead('a');
        queue.answer = () => failure('container_mismatch', 'still');
        await queue.stopWorker();
        const answers = await Promise.all(Array.from({ length: CALLERS }, () => letters.replay(id)));
        expect(answers.filter(({ status }) => status === 'replayed')).toHaveLength(1);
        expect(answers.filter(({ status }) => status === 'live')).toHaveLength(CALLERS - 1);
        await queue.startWorker();
        await untilEnded(id);
        expect(queue.tried.get('a')).toBe(2);
      });

      it('a job that is not a dead letter keeps its state, and the answer names that state', async () => {
        await queue.startWorker();
        const id = await queue.add(cleanup('fine'));
        await untilEnded(id);
        expect(await letters.replay(id)).toEqual({ status: 'live', state: 'completed' });
        expect(await letters.purge(id)).toEqual({ status: 'live', state: 'completed' });
        expect(await queue.stateOf(id)).toBe('completed');
        expect(await letters.find(id)).toBeUndefined();
      });

      it.each(['unknown', 'meta', 'wait', 'a:b', 'x\0y'])('the job id %j is answered as missing', async (jobId) => {
        expect(await letters.purge(jobId)).toEqual({ status: 'missing' });
        expect(await letters.replay(jobId)).toEqual({ status: 'missing' });
        expect(await letters.find(jobId)).toBeUndefined();
      });

      it('a purged job is removed for good', async () => {
        const [a = '', b] = await dead('a', 'b');
        expect(await letters.purge(a)).toEqual({ status: 'purged' });
        expect(await letters.purge(a)).toEqual({ status: 'missing' });
        expect(await idPages(10)).toEqual([[b]]);
        expect(await queue.dataOf(a)).toBeUndefined();
      });

      it('a replayed job is the one live cleanup of its game until it ends', async () => {
        const [first] = await queue.cleanupQueue.enqueue([cleanup('a')]);
        const id = first?.jobId ?? '';
        queue.answer = () => MISMATCH;
        await queue.startWorker();
        await untilEnded(id);
        await queue.stopWorker();
        await letters.replay(id);
        expect(await queue.cleanupQueue.enqueue([cleanup('a')])).toMatchObject([{ jobId: id, coalesced: true }]);
        await queue.startWorker();
        await untilEnded(id);
        expect(await queue.cleanupQueue.enqueue([cleanup('a')])).toMatchObject([{ coalesced: false }]);
      });
    });

    describe('replay and purge of many', () => {
      it('a replay by code runs each job once, and a job that fails again is a dead letter again', async () => {
        const ids = await dead('a', 'b', 'unknown');
        const progress: number[] = [];
        const onProgress = ({ done, total }: { done: number; total: number }) => void progress.push(done / total);
        const options = { signal: neverAborted, onProgress };
        expect(await letters.replayAll({ code: 'container_mismatch' }, options)).toEqual({ done: 2, skipped: 0 });
        expect(progress.at(-1)).toBe(1);
        await untilEnded(...ids);
        expect(await letters.countByCode()).toEqual({ container_mismatch: 2, not_found: 1 });
        expect(queue.tried).toEqual(
          new Map([
            ['a', 2],
            ['b', 2],
            ['unknown', 1],
          ]),
        );
        expect(await letters.purgeAll({}, { signal: neverAborted })).toEqual({ done: 3, skipped: 0 });
        expect(await letters.countByCode()).toEqual({});
      });

      it('a replay and a purge with an aborted signal reject with its reason', async () => {
        await queue.addFailed([{ data: cleanup('a') }]);
        const signal = AbortSignal.abort(new RangeError('enough'));
        await expect(letters.replayAll({}, { signal })).rejects.toThrow('enough');
        await expect(letters.purgeAll({}, { signal })).rejects.toThrow('enough');
        expect((await idPages(10)).flat()).toHaveLength(1);
      });

      it('a replay and a purge without dead letters do nothing', async () => {
        expect(await letters.replayAll({}, { signal: neverAborted })).toEqual({ done: 0, skipped: 0 });
        expect(await letters.purgeAll({}, { signal: neverAborted })).toEqual({ done: 0, skipped: 0 });
      });
    });
  });
}
