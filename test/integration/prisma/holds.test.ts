import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createHolds } from '../../../src/adapters/prisma/holds.js';
import type { Holds, NewHold } from '../../../src/retention/holds.js';
import { openRecordsDatabase, type RecordsDatabase } from '../../contract/runtime-records-world.js';
import { InvalidPageError } from '../../../src/domain/errors.js';

const UNTIL = new Date('2030-01-02T03:04:05.678Z');

let database: RecordsDatabase;
let holds: Holds;

beforeAll(async () => {
  database = await openRecordsDatabase();
  holds = createHolds(database);
});
afterAll(() => database.close());
beforeEach(() => database.clear());

const aNewHold = (over: Partial<NewHold> = {}): NewHold => ({
  gameId: 'game-1',
  reason: 'a complaint',
  heldBy: 'ada',
  end: null,
  ...over,
});
const stored = { gameId: 'game-1', reason: 'a complaint', heldBy: 'ada' };

describe('putting a hold', () => {
  test('stores it and replaces none', async () => {
    expect(await holds.put(aNewHold())).toEqual({ hold: { ...stored, heldUntil: null }, replaced: null });
    expect(await holds.list({ limit: 10 })).toEqual({ items: [{ ...stored, heldUntil: null }], next: null });
  });

  test('replaces the one before and says what it was', async () => {
    await holds.put(aNewHold({ end: { until: UNTIL } }));
    const { hold, replaced } = await holds.put(aNewHold({ reason: 'another', heldBy: 'bob' }));
    expect(hold).toEqual({ gameId: 'game-1', reason: 'another', heldBy: 'bob', heldUntil: null });
    expect(replaced).toEqual({ ...stored, heldUntil: UNTIL });
    expect((await holds.list({ limit: 10 })).items).toEqual([hold]);
  });

  test("counts a time from the database's now", async () => {
    const { hold } = await holds.put(aNewHold({ end: { forMs: 3_600_000 } }));
    const { rows } = await database.pool.query<{ near: boolean }>(
      `SELECT held_until BETWEEN now() + interval '59 minutes' AND now() + interval '1 hour 1 ms' AS near
       FROM retention_holds WHERE held_until = $1`,
      [hold.heldUntil?.toISOString()],
    );
    expect(rows).toEqual([{ near: true }]);
  });

  test('on one game by many at once leaves one, and each but the first ones replaced another', async () => {
    await holds.put(aNewHold({ heldBy: 'nobody' }));
    const names = Array.from({ length: 20 }, (_, n) => `person ${n}`);
    const answers = await Promise.all(names.map((heldBy) => holds.put(aNewHold({ heldBy }))));
    const replaced = answers.map((answer) => answer.replaced?.heldBy);
    const [last] = (await holds.list({ limit: 10 })).items;
    // Every hold there ever was is either replaced by one answer or the one that is left.
    const held = [...replaced, last?.heldBy];
    expect(held).toHaveLength(names.length + 1);
    expect(new Set(held)).toEqual(new Set(['nobody', ...names]));
  });

  test('takes texts as they come, less what PostgreSQL cannot store', async () => {
    const reason = `'; DROP TABLE retention_holds; -- <b>🎲\0\uD800`;
    const { hold } = await holds.put(aNewHold({ gameId: 'a/b', reason }));
    expect(hold).toMatchObject({ gameId: 'a/b', reason: `'; DROP TABLE retention_holds; -- <b>🎲\uFFFD` });
  });

  test.each(['a\0', 'a\uD800'])('on a game id that cannot be stored puts none on a similar one', async (gameId) => {
    await expect(holds.put(aNewHold({ gameId }))).rejects.toBeInstanceOf(TypeError);
    expect((await holds.list({ limit: 1 })).items).toEqual([]);
  });
});

describe('taking a hold away', () => {
  test('gives it back once', async () => {
    await holds.put(aNewHold({ end: { until: UNTIL } }));
    await holds.put(aNewHold({ gameId: 'game-2' }));
    expect(await holds.remove('game-1')).toEqual({ ...stored, heldUntil: UNTIL });
    expect(await holds.remove('game-1')).toBeUndefined();
    expect((await holds.list({ limit: 10 })).items.map(({ gameId }) => gameId)).toEqual(['game-2']);
  });

  test.each(['nobody', '', 'a\0', 'a\uD800'])('of %j finds none', async (gameId) => {
    await holds.put(aNewHold({ gameId: 'a\uFFFD' }));
    expect(await holds.remove(gameId)).toBeUndefined();
  });
});

describe('the list of holds', () => {
  test('walks them in game id order, those that have run out too', async () => {
    for (const gameId of ['c', 'a', 'e', 'b', 'd']) await holds.put(aNewHold({ gameId, end: { until: new Date(0) } }));
    const first = await holds.list({ limit: 3 });
    const second = await holds.list({ limit: 3, after: first.next ?? undefined });
    expect([first, second].map(({ items }) => items.map(({ gameId }) => gameId))).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e'],
    ]);
    expect(second.next).toBeNull();
    expect(first.items[0]?.heldUntil).toEqual(new Date(0));
  });

  test('shows ends that JavaScript does not know as never, or long ago', async () => {
    await database.pool.query(`INSERT INTO retention_holds VALUES
      ('a', '', '', 'infinity'), ('b', '', '', '294276-01-01'), ('c', '', '', '-infinity'), ('d', '', '', '12345-01-01')`);
    const { items } = await holds.list({ limit: 10 });
    expect(items.map(({ heldUntil }) => heldUntil)).toEqual([
      null,
      null,
      new Date(0),
      new Date('+012345-01-01T00:00:00Z'),
    ]);
  });

  test.each([0, -1, 1.5, Number.NaN])('refuses a limit of %s', async (limit) => {
    await expect(holds.list({ limit })).rejects.toBeInstanceOf(InvalidPageError);
  });

  test('refuses a cursor that is no game id', async () => {
    await expect(holds.list({ after: 'a\0', limit: 1 })).rejects.toBeInstanceOf(InvalidPageError);
  });
});
