import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { InvalidPageError } from '../../../src/domain/errors.js';
import type { Holds, NewHold } from '../../../src/retention/holds.js';

export interface HoldsHarness {
  readonly holds: Holds;
  /** By the store's own clock. */
  readonly now: () => Promise<Date>;
  readonly clear: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const UNTIL = new Date('2030-01-02T03:04:05.678Z');
const HOUR_MS = 3_600_000;
const CALLERS = 20;
/** Stores keep milliseconds, and each of two times may have been rounded to one. */
const ROUNDING_MS = 1;

const aNewHold = (over: Partial<NewHold> = {}): NewHold => ({
  gameId: 'game-1',
  reason: 'a complaint',
  heldBy: 'ada',
  end: null,
  ...over,
});
const stored = { gameId: 'game-1', reason: 'a complaint', heldBy: 'ada' };

/** What every implementation of `Holds` promises. */
export function holdsContract(name: string, open: () => Promise<HoldsHarness>): void {
  describe(`holds: ${name}`, () => {
    let harness: HoldsHarness;
    let holds: Holds;
    beforeAll(async () => {
      harness = await open();
      ({ holds } = harness);
    });
    afterAll(() => harness.close());
    beforeEach(() => harness.clear());

    describe('put', () => {
      test('stores a first hold, which replaces none', async () => {
        expect(await holds.put(aNewHold())).toEqual({ hold: { ...stored, heldUntil: null }, replaced: null });
        expect(await holds.list({ limit: 10 })).toEqual({ items: [{ ...stored, heldUntil: null }], next: null });
      });

      test('replaces the hold before and says what it was', async () => {
        await holds.put(aNewHold({ end: { until: UNTIL } }));
        const { hold, replaced } = await holds.put(aNewHold({ reason: 'another', heldBy: 'bob' }));
        expect(hold).toEqual({ gameId: 'game-1', reason: 'another', heldBy: 'bob', heldUntil: null });
        expect(replaced).toEqual({ ...stored, heldUntil: UNTIL });
        expect((await holds.list({ limit: 10 })).items).toEqual([hold]);
      });

      test("counts a time from the store's own now", async () => {
        const before = await harness.now();
        const { hold } = await holds.put(aNewHold({ end: { forMs: HOUR_MS } }));
        const after = await harness.now();
        const countedFromMs = (hold.heldUntil?.getTime() ?? 0) - HOUR_MS;
        expect(countedFromMs).toBeGreaterThanOrEqual(before.getTime() - ROUNDING_MS);
        expect(countedFromMs).toBeLessThanOrEqual(after.getTime() + ROUNDING_MS);
      });

      test(`leaves one hold of ${CALLERS} that are put on one game at once, and each other one was replaced`, async () => {
        await holds.put(aNewHold({ heldBy: 'first' }));
        const names = Array.from({ length: CALLERS }, (_, n) => `person ${n}`);
        const answers = await Promise.all(names.map((heldBy) => holds.put(aNewHold({ heldBy }))));
        const [last] = (await holds.list({ limit: 10 })).items;
        // Every hold there ever was is either replaced by one answer or the one that is left.
        const held = [...answers.map(({ replaced }) => replaced?.heldBy), last?.heldBy];
        expect(held).toHaveLength(names.length + 1);
        expect(new Set(held)).toEqual(new Set(['first', ...names]));
      });

      test('keeps texts as they come, less what PostgreSQL cannot store', async () => {
        const reason = `'; DROP TABLE retention_holds; -- <b>🎲\0\uD800`;
        const { hold } = await holds.put(aNewHold({ gameId: 'a/b', reason }));
        expect(hold).toMatchObject({ gameId: 'a/b', reason: `'; DROP TABLE retention_holds; -- <b>🎲\uFFFD` });
      });

      test.each(['a\0', 'a\uD800'])('refuses the game id %j instead of holding a similar one', async (gameId) => {
        await expect(holds.put(aNewHold({ gameId }))).rejects.toBeInstanceOf(TypeError);
        expect((await holds.list({ limit: 1 })).items).toEqual([]);
      });
    });

    describe('remove', () => {
      test('resolves to the removed hold once, and leaves the others', async () => {
        await holds.put(aNewHold({ end: { until: UNTIL } }));
        await holds.put(aNewHold({ gameId: 'game-2' }));
        expect(await holds.remove('game-1')).toEqual({ ...stored, heldUntil: UNTIL });
        expect(await holds.remove('game-1')).toBeUndefined();
        expect((await holds.list({ limit: 10 })).items.map(({ gameId }) => gameId)).toEqual(['game-2']);
      });

      test.each(['unknown', '', 'a\0', 'a\uD800'])('finds no hold of the game %j', async (gameId) => {
        await holds.put(aNewHold({ gameId: 'a\uFFFD' }));
        expect(await holds.remove(gameId)).toBeUndefined();
      });
    });

    describe('list', () => {
      test('pages through all holds in game id order, those that have run out too', async () => {
        const end = { until: new Date(0) };
        for (const gameId of ['c', 'a', 'e', 'b', 'd']) await holds.put(aNewHold({ gameId, end }));
        const first = await holds.list({ limit: 3 });
        const second = await holds.list({ limit: 3, after: first.next ?? undefined });
        expect([first, second].map(({ items }) => items.map(({ gameId }) => gameId))).toEqual([
          ['a', 'b', 'c'],
          ['d', 'e'],
        ]);
        expect(second.next).toBeNull();
        expect(first.items[0]?.heldUntil).toEqual(new Date(0));
      });

      test.each([0, -1, 1.5, Number.NaN])('refuses a limit of %s', async (limit) => {
        await expect(holds.list({ limit })).rejects.toBeInstanceOf(InvalidPageError);
      });

      test('refuses a cursor that is no game id', async () => {
        await expect(holds.list({ after: 'a\0', limit: 1 })).rejects.toBeInstanceOf(InvalidPageError);
      });
    });
  });
}
