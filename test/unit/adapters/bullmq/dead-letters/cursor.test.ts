import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cursorOf, positionOf } from '../../../../../src/adapters/bullmq/dead-letters/cursor.js';
import { boundedMs } from '../../../../../src/adapters/bullmq/store/failed-set.js';
import { LAST_INSTANT_MS } from '../../../../../src/domain/time.js';
import { isJobId } from '../../../../../src/adapters/bullmq/store/stored-text.js';
import { InvalidPageError } from '../../../../../src/domain/errors.js';

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a cursor', () => {
  it('a cursor is safe in a URL and leads back to its position', () => {
    const place = fc.record({
      failedAtMs: fc.double({ min: -LAST_INSTANT_MS, max: LAST_INSTANT_MS, noNaN: true }).map((ms) => ms + 0),
      jobId: fc.string({ unit: 'binary' }).filter(isJobId),
    });
    fc.assert(
      fc.property(place, (position) => {
        const cursor = cursorOf(position);
        expect(cursor).toMatch(/^[\w-]+$/);
        expect(positionOf(cursor)).toEqual({ ...position, failedAtMs: Number(JSON.stringify(position.failedAtMs)) });
      }),
    );
  });

  it('a missing cursor means the first page', () => {
    expect(positionOf(undefined)).toBeNull();
  });

  it.each([
    ['empty text', ''],
    ['SQL', "1'; DROP TABLE job"],
    ['one value instead of a pair', encoded(['1'])],
    ['a time that is text', encoded(['1', 'a'])],
    ['a time beyond the calendar', encoded([9e15, 'a'])],
    ['a time that is null', encoded([null, 'a'])],
    ['a job id that is a number', encoded([1, 7])],
    ['an empty job id', encoded([1, ''])],
    ['a job id with NUL', encoded([1, 'a\0'])],
    ['a lone surrogate', Buffer.from('[1,"\\ud800"]').toString('base64url')],
  ])('a cursor made of %s is refused', (_what, cursor) => {
    expect(() => positionOf(cursor)).toThrow(InvalidPageError);
  });
});

describe('a stored time', () => {
  it.each([
    ['1763895654000', 1_763_895_654_000],
    ['Infinity', LAST_INSTANT_MS],
    ['-1e300', -LAST_INSTANT_MS],
    ['', 0],
    ['yesterday', 0],
    [undefined, 0],
  ])('the stored time %j becomes a time that can be shown', (stored, ms) => {
    expect(boundedMs(stored)).toBe(ms);
    expect(() => new Date(boundedMs(stored)).toISOString()).not.toThrow();
  });
});
