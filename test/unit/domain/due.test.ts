import { expect, it } from 'vitest';
import { type Dueness, duenessOf, type RetentionFacts } from '../../../src/domain/due.js';

const RETENTION_MS = 10_000;

const rows: readonly [situation: string, facts: RetentionFacts, dueness: Dueness][] = [
  ['stopped exactly as long as retention asks', { stoppedForMs: RETENTION_MS, held: false }, 'due'],
  ['a millisecond short of it', { stoppedForMs: RETENTION_MS - 1, held: false }, 'not_due'],
  ['a millisecond beyond it', { stoppedForMs: RETENTION_MS + 1, held: false }, 'due'],
  ['stopped this moment', { stoppedForMs: 0, held: false }, 'not_due'],
  ['stopped in the future', { stoppedForMs: -RETENTION_MS, held: false }, 'not_due'],
  ['stopped since ever', { stoppedForMs: Number.POSITIVE_INFINITY, held: false }, 'due'],
  ['stopped at the end of time', { stoppedForMs: Number.NEGATIVE_INFINITY, held: false }, 'not_due'],
  ['stopped at no time that is known', { stoppedForMs: Number.NaN, held: false }, 'not_due'],
  ['long due, but held', { stoppedForMs: 9 * RETENTION_MS, held: true }, 'held'],
  ['held before its time has come', { stoppedForMs: 0, held: true }, 'held'],
];

it.each(rows)('%s', (_situation, facts, dueness) => {
  expect(duenessOf(facts, RETENTION_MS)).toBe(dueness);
});
