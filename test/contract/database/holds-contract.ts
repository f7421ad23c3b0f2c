import { describe, expect, test } from 'vitest';
import { InvalidPageError } from '../../../src/domain/errors.js';
import type { Holds, NewHold } from '../../../src/retention/holds.js';
import { openForAllTests } from '../hooks.js';

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
    openForAllTests(open, (opened) => {
      harness = opened;
      ({ holds } = harness);
    });

    describe('put', () => {
      test('a first hold is stored and replaces no other hold', async () => {
        expect(await holds.put(aNewHold())).toEqual({ hold: { ...stored, heldUntil: null }, replaced: null });
        expect(await holds.list({ limit: 10 })).toEqual({ items: [{ ...stored, heldUntil: null }], next: null });
      });

      test('a second hold replaces the first and returns what it was', async () => {
        await holds.put(aNewHold({ end: { until: UNTIL } }));
        const { hold, replaced } = await holds.put(aNewHold({ reason: 'another', heldBy: 'bob' }));
        expect(hold).toEqual({ gameId: 'game-1', reason: 'another', heldBy: 'bob', heldUntil: null });
        expect(replaced).toEqual({ ...stored, heldUntil: UNTIL });
        expect((await holds.list({ limit: 10 })).items).toEqual([hold]);
      });

      test('the end of a hold is counted from the clock of the store', async () => {
        const before = await harness.now();
        const { hold } = await holds.put(aNewHold({ end: { forMs: HOUR_MS } }));
        const after = await harness.now();
        const countedFromMs = (hold.heldUntil?.getTime() ?? 0) - HOUR_MS;
        expect(countedFromMs).toBeGreaterThanOrEqual(before.getTime() - ROUNDING_MS);
        expect(countedFromMs).toBeLessThanOrEqual(after.getTime() + ROUNDING_MS);
      });

      test(`of ${CALLERS} concurrent holds on one game one remains, and each other one is returned as replaced`, async () => {
        await holds.put(aNewHold({ heldBy: 'first' }));
        const names = Array.from({ length: CALLERS }, (_, n) => `person ${n}`);
        const answers = await Promise.all(names.map((heldBy) => holds.put(aNewHold({ heldBy }))));
        const [last] = (await holds.list({ limit: 10 })).items;
        // Each hold is either the last one or was returned as replaced exactly once.
        const held = [...answers.map(({ replaced }) => replaced?.heldBy), last?.heldBy];
        expect(held).toHaveLength(names.length + 1);
        expect(new Set(held)).toEqual(new Set(['first', ...names]));
      });

      test('texts are stored unchanged, except for what PostgreSQL cannot store', async () => {
        const reason = `'; DROP TABLE retention_holds; -- <b>🎲\0\uD800`;
        const { hold } = await holds.put(aNewHold({ gameId: 'a/b', reason }));
        expect(hold).toMatchObject({ gameId: 'a/b', reason: `'; DROP TABLE retention_holds; -- <b>🎲\uFFFD` });
      });

      test.each(['a\0', 'a\uD800'])(
        'a hold on the game id %j is refused and no similar one is stored',
        async (gameId) => {
          await expect(holds.put(aNewHold({ gameId }))).rejects.toBeInstanceOf(TypeError);
          expect((await holds.list({ limit: 1 })).items).toEqual([]);
        },
      );
    });

    describe('remove', () => {
      test('a removed hold is returned once, and other holds stay', async () => {
        await holds.put(aNewHold({ end: { until: UNTIL } }));
        await holds.put(aNewHold({ gameId: 'game-2' }));
        expect(await holds.remove('game-1')).toEqual({ ...stored, heldUntil: UNTIL });
        expect(await holds.remove('game-1')).toBeUndefined();
        expect((await holds.list({ limit: 10 })).items.map(({ gameId }) => gameId)).toEqual(['game-2']);
      });

      test.each(['unknown', '', 'a\0', 'a\uD800'])(
        'a removal of a hold on the game id %j finds none',
        async (gameId) => {
          await holds.put(aNewHold({ gameId: 'a\uFFFD' }));
          expect(await holds.remove(gameId)).toBeUndefined();
        },
      );
    });

    describe('list', () => {
      test('a listing pages through all holds by game id, expired ones included', async () => {
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

      test.each([0, -1, 1.5, Number.NaN])('a limit of %s is refused', async (limit) => {
        await expect(holds.list({ limit })).rejects.toBeInstanceOf(InvalidPageError);
      });

      test('a cursor that is not a game id is refused', async () => {
        await expect(holds.list({ after: 'a\0', limit: 1 })).rejects.toBeInstanceOf(InvalidPageError);
      });
    });
  });
}
