import { describe, expect, it } from 'vitest';
import { readPlanCursor, writePlanCursor } from '../../../src/retention/cursor.js';
import { DAY_MS, fromNow, NOW, RETENTION_MS } from './cases.js';
import { aHold } from '../../support/records.js';
import type { Row } from '../../support/fakes/retention-records.js';
import { createWorld } from './retention-world.js';
import { InvalidPageError } from '../../../src/domain/errors.js';

const rowOf = (gameId: string, overdueMs: number, over: Partial<Row> = {}): Row => ({
  gameId,
  status: 'stopped',
  sinceMs: NOW.getTime() - RETENTION_MS - overdueMs,
  hold: null,
  ...over,
});

describe('the plan', () => {
  const rows = [
    rowOf('newest', -DAY_MS),
    rowOf('exactly', 0),
    rowOf('oldest', 2 * DAY_MS),
    rowOf('held', DAY_MS, { hold: aHold({ gameId: 'held' }) }),
    rowOf('ended hold', DAY_MS - 1, { hold: aHold({ heldUntil: NOW }) }),
    rowOf('running', DAY_MS, { status: 'running' }),
  ];

  it('the plan shows past due records, oldest first, and why they are kept', async () => {
    const { items, next, asOf } = await createWorld(rows).retention.plan({ includeNotDue: false, limit: 10 });
    expect(items.map(({ gameId, verdict }) => [gameId, verdict])).toEqual([
      ['oldest', 'due'],
      ['held', 'held'],
      ['ended hold', 'due'],
      ['exactly', 'due'],
    ]);
    expect(next).toBeNull();
    expect(asOf).toEqual(NOW);
  });

  it('the plan also shows records that are due later when asked', async () => {
    const { items } = await createWorld(rows).retention.plan({ includeNotDue: true, limit: 10 });
    expect(items.at(-1)).toMatchObject({ gameId: 'newest', verdict: 'not_due', dueAt: fromNow(DAY_MS) });
  });

  it('all pages of a plan are judged by the moment of the first', async () => {
    let now = NOW;
    const { retention } = createWorld(rows, { now: () => now });
    const first = await retention.plan({ includeNotDue: false, limit: 3 });
    now = fromNow(5 * DAY_MS);
    const second = await retention.plan({ includeNotDue: false, limit: 3, after: first.next ?? undefined });
    expect(second.asOf).toEqual(NOW);
    const whole = await createWorld(rows).retention.plan({ includeNotDue: false, limit: 10 });
    expect([...first.items, ...second.items]).toEqual(whole.items);
  });

  it.each([0, -1, 1.5, Number.NaN, 1e300])('the plan refuses a limit of %s', async (limit) => {
    const { retention } = createWorld([]);
    await expect(retention.plan({ includeNotDue: true, limit })).rejects.toBeInstanceOf(InvalidPageError);
  });
});

describe('the summary', () => {
  it('the summary counts what is due, what is kept and how late the oldest record is', async () => {
    const rows = [
      rowOf('late', DAY_MS),
      rowOf('held', 2 * DAY_MS, { hold: aHold() }),
      rowOf('dead', 3 * DAY_MS),
      rowOf('no id ', 4 * DAY_MS),
      rowOf('new', -DAY_MS),
      rowOf('running', 0, { status: 'running' }),
    ];
    const { retention } = createWorld(rows, { dead: new Map([['dead', { jobId: '1', code: 'conflict' }]]) });
    await expect(retention.summary()).resolves.toEqual({
      asOf: NOW,
      running: 1,
      stopped: 5,
      removed: 0,
      due: 1,
      held: 1,
      deadLetters: 1,
      lagMs: DAY_MS,
      retentionMs: RETENTION_MS,
      refusal: null,
    });
  });
});

describe('a cursor', () => {
  const ids = ['game-1', 'a/b', 'a:b', '..', '🎲', '"', "'; DROP TABLE", '<b>', '%_', 'é', '\u2028', 'x'.repeat(256)];

  it.each(ids)('a cursor of the game %j is read back through a URL', (gameId) => {
    const cursor = { asOf: NOW, after: { since: '2026-01-01T00:00:00.123+00:00', gameId } };
    const text = writePlanCursor(cursor);
    expect(encodeURIComponent(text)).toBe(text);
    expect(readPlanCursor(text)).toEqual(cursor);
  });

  const forged = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  it.each([
    ['an empty text', ''],
    ['a game id', 'game-1'],
    ['text that is not base64', '%%%'],
    ['null', forged(null)],
    ['an object', forged({ length: 3 })],
    ['too few parts', forged([1, 'x'])],
    ['too many parts', forged([1, 'x', 'y', 'z'])],
    ['a time that is text', forged(['1', 'x', 'y'])],
    ['a time that is not a whole number', forged([1.5, 'x', 'y'])],
    ['a time before the epoch', forged([-1, 'x', 'y'])],
    ['a time after the year 9999', forged([253_402_300_800_000, 'x', 'y'])],
    ['a position that is not text', forged([1, 2, 'y'])],
    ['a game id that is not text', forged([1, 'x', null])],
  ])('a cursor made of %s is refused, and the error states what is allowed', async (_what, after) => {
    const page = createWorld([]).retention.plan({ includeNotDue: true, after, limit: 1 });
    await expect(page).rejects.toThrow(InvalidPageError);
    await expect(page).rejects.toThrow(/allowed: the "next" of the page before/);
  });
});
