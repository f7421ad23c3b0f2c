import { expect, it } from 'vitest';
import { type Dueness, duenessOf, type RetentionFacts } from '../../../src/domain/due.js';

const RETENTION_MS = 10_000;

const rows: readonly [situation: string, facts: RetentionFacts, dueness: Dueness][] = [
  ['stopped for exactly the retention is due', { stoppedForMs: RETENTION_MS, held: false }, 'due'],
  ['stopped a millisecond less is not due', { stoppedForMs: RETENTION_MS - 1, held: false }, 'not_due'],
  ['stopped a millisecond longer is due', { stoppedForMs: RETENTION_MS + 1, held: false }, 'due'],
  ['stopped at this moment is not due', { stoppedForMs: 0, held: false }, 'not_due'],
  ['stopped in the future is not due', { stoppedForMs: -RETENTION_MS, held: false }, 'not_due'],
  ['stopped at minus infinity is due', { stoppedForMs: Number.POSITIVE_INFINITY, held: false }, 'due'],
  ['stopped at infinity is not due', { stoppedForMs: Number.NEGATIVE_INFINITY, held: false }, 'not_due'],
  ['stopped at an unknown time is not due', { stoppedForMs: Number.NaN, held: false }, 'not_due'],
  ['that is past due and held is held', { stoppedForMs: 9 * RETENTION_MS, held: true }, 'held'],
  ['that is held before it is due is held', { stoppedForMs: 0, held: true }, 'held'],
];

it.each(rows)('a record %s', (_situation, facts, dueness) => {
  expect(duenessOf(facts, RETENTION_MS)).toBe(dueness);
});
