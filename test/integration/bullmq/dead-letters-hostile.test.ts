import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDeadLetters } from '../../../src/adapters/bullmq/dead-letters/dead-letters.js';
import { systemClock } from '../../../src/async/clock.js';
import { buryAll, type Burial } from '../../support/queue/dead-letters-burial.js';
import { type QueueSpace, startStore, STORE_KINDS, type TestStore } from '../../support/queue/queue-stores.js';

const never = new AbortController().signal;
const MEGABYTE = 1_024 * 1_024;
const cleanup = (gameId: string) => ({ gameId, opSource: 'gm_rest' });

describe.each(STORE_KINDS)('dead letters on %s, whatever was stored', (kind) => {
  let store: TestStore;
  let space: QueueSpace;
  let letters: ReturnType<typeof createDeadLetters>;

  const bury = (burials: readonly Burial[]) => buryAll(store, space, burials);
  /** Every page, in order. */
  const allPages = async (limit: number, filter = {}) => {
    const pages: string[][] = [];
    for (let after: string | undefined; ;) {
      const page = await letters.list({ limit, after, ...filter });
      pages.push(page.items.map(({ jobId }) => jobId));
      if (page.next === null) return pages;
      after = page.next;
    }
  };

  beforeAll(async () => {
    store = await startStore(kind);
  });
  afterAll(() => store.stop());
  beforeEach(async () => {
    space = await store.space();
    letters = createDeadLetters({ backend: space.backend, clock: systemClock, report: space.report });
  });
  afterEach(async () => {
    await letters.close();
    await space.close();
  });

  it.each([1, 2, 7, 50])('those that failed in the same millisecond are each on one page, %i a page', async (limit) => {
    const failedAtMs = [3_000, 2_000, 2_000, 2_000, 2_000, 2_000, 1_000];
    const ids = await bury(failedAtMs.map((at, index) => ({ data: cleanup(`g-${index}`), failedAtMs: at })));
    const pages = await allPages(limit);
    expect(pages.flat().toSorted()).toEqual(ids.toSorted());
    expect([pages.flat().at(0), pages.flat().at(-1)]).toEqual([ids.at(0), ids.at(-1)]);
    expect(pages.every(({ length }) => length <= limit)).toBe(true);
  });

  it('a page goes on where it ended, also when its last one has been replayed or purged meanwhile', async () => {
    await bury(Array.from({ length: 6 }, (_, index) => ({ data: cleanup(`g-${index}`), failedAtMs: 2_000 })));
    const expected = (await allPages(50)).flat();
    const first = await letters.list({ limit: 2 });
    await letters.purge(expected[1] ?? '');
    const second = await letters.list({ limit: 2, after: first.next ?? '' });
    await letters.replay(expected[3] ?? '');
    const third = await letters.list({ limit: 2, after: second.next ?? '' });
    expect([first, second, third].flatMap(({ items }) => items.map(({ jobId }) => jobId))).toEqual(expected);
  });

  it('ten megabytes in each of many jobs break no page, and one of them can still be shown whole', async () => {
    const heavy = { ...cleanup('heavy'), junk: 'x'.repeat(10 * MEGABYTE) };
    const [first = ''] = await bury([
      ...Array.from({ length: 3 }, () => ({ data: heavy })),
      { data: cleanup('light'), progress: { junk: 'x'.repeat(10 * MEGABYTE) } },
    ]);
    const { items } = await letters.list({ limit: 10 });
    expect(items.map(({ gameId }) => gameId).toSorted()).toEqual(['', '', '', 'light']);
    expect((await letters.find(first))?.payload).toEqual(heavy);
    expect(await letters.replayAll({}, { signal: never })).toEqual({ done: 4, skipped: 0 });
  });

  it.each([
    ['nothing', null],
    ['text', 'g-1'],
    ['a number', 7],
    ['a list', ['gameId']],
    ['fields of other types', { gameId: 7, opSource: null, sourceRef: {} }],
    ['a prototype', { __proto__: null, constructor: 'gameId', toString: 1 }],
  ])('data that is %s has no game', async (_what, data) => {
    const [id] = await bury([{ data }]);
    expect((await letters.list({ limit: 10 })).items).toMatchObject([
      { jobId: id, gameId: '', opSource: '', sourceRef: '' },
    ]);
    expect(await letters.among(['7'])).toEqual(new Map());
  });

  it.each(['', 'job stalled more than allowable limit', 'Error: x', 'nonsense: y', ': ', 'x'.repeat(100_000)])(
    'a reason without a code of ours counts as a bug (%#)',
    async (reason) => {
      await bury([{ data: cleanup('g'), reason }]);
      expect(await letters.countByCode()).toEqual({ internal_error: 1 });
      const { items } = await letters.list({ limit: 1, code: 'internal_error' });
      expect(reason.startsWith(items[0]?.message ?? 'no message')).toBe(true);
    },
  );

  it('a history that is none tells nothing, and is no obstacle', async () => {
    const [id = ''] = await bury([{ data: cleanup('g'), progress: { counts: 'many', pastLives: [1, 2] } }]);
    expect((await letters.list({ limit: 1 })).items).toMatchObject([{ replays: 0 }]);
    expect(await letters.find(id)).toMatchObject({ attempts: [], pastLives: [] });
    expect(await letters.replay(id)).toEqual({ status: 'replayed' });
  });

  it.each(["a'; DROP TABLE job; --", '<script>', '🎲{rtmanager}', '..', 'id with spaces', '%2e%2e', '\u0001'])(
    'the job id %j is one like any other',
    async (jobId) => {
      await bury([{ data: cleanup('g'), jobId }, { data: cleanup('g') }]);
      expect((await allPages(1)).flat()).toContain(jobId);
      expect(await letters.find(jobId)).toMatchObject({ jobId });
      expect(await letters.purge(jobId)).toEqual({ status: 'purged' });
      expect((await allPages(1)).flat()).toHaveLength(1);
    },
  );
});
