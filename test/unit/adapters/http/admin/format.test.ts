import { expect, test } from 'vitest';
import { cell, durationText, relative, timeElement, utc } from '../../../../../src/adapters/http/admin/format.js';

test.each([
  [0, '0 seconds'],
  [999, '1 second'],
  [59_400, '59 seconds'],
  [60_000, '1 minute'],
  [7_199_000, '1 hour'],
  [48 * 3_600_000, '2 days'],
  [-5, '0 seconds'],
])('%d ms are shown as %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

const now = new Date('2026-03-01T12:00:00.000Z');

test.each([
  ['2026-03-01T11:55:00.000Z', '5 minutes ago'],
  ['2026-03-01T12:00:00.400Z', 'now'],
  ['2026-03-01T15:00:00.000Z', 'in 3 hours'],
  ['no time', 'at an unknown time'],
])('the instant %s is shown as %s', (instant, text) => {
  expect(relative(new Date(instant), now)).toBe(text);
});

test('an instant is shown to the second in UTC, and an invalid one as nothing', () => {
  expect(utc(new Date('2026-03-01T12:00:00.123+02:00'))).toBe('2026-03-01 10:00:00 UTC');
  expect(utc(new Date('no time'))).toBe('');
  expect(timeElement(new Date('no time'), 'at an unknown time')).toBe('<span>at an unknown time</span>');
});

test('a cell makes hidden and reordering characters visible, and never cuts a character in half', () => {
  expect(cell('a\u202Eb\u0007c')).toBe('a\\u202eb\\u0007c');
  expect(cell('🎲'.repeat(9), 4)).toBe('🎲🎲🎲…');
  expect(cell('🎲'.repeat(4), 4)).toBe('🎲🎲🎲🎲');
});
