import * as fc from 'fast-check';
import type { DeadLetterOf } from '../../../src/retention/ports.js';
import { fromNow, NOW, RETENTION_MS } from './cases.js';
import { aHold } from '../../support/records.js';
import type { Row } from '../../support/fakes/retention-records.js';

export interface Population {
  readonly rows: readonly Row[];
  readonly dead: ReadonlyMap<string, DeadLetterOf>;
}

/** Times around the two moments that decide, and far from both. */
const since = fc.oneof(
  fc.integer({ min: -2, max: 2 }).map((ms) => NOW.getTime() - RETENTION_MS + ms),
  fc.integer({ min: -2 * RETENTION_MS, max: RETENTION_MS }).map((ms) => NOW.getTime() + ms),
  fc.constantFrom(Infinity, -Infinity),
);
const holdEnd = fc.oneof(
  fc.constant(null),
  fc.integer({ min: -1, max: 1 }).map(fromNow),
  fc.date({ noInvalidDate: true, min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z') }),
);
const gameId = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 400 }).map((n) => `game-${n}`) },
  fc.constantFrom('', ' game-1', 'game-2\n', 'a\u0007', '\uFEFFbom', 'x'.repeat(257), 'é', '..', "'; DROP TABLE"),
);
const knownStatus = fc.oneof(
  { weight: 5, arbitrary: fc.constant('stopped') },
  { weight: 1, arbitrary: fc.constantFrom('running', 'removed') },
);
const row: fc.Arbitrary<Row> = fc
  .record({ gameId, status: knownStatus, sinceMs: since, heldUntil: fc.option(holdEnd, { freq: 4, nil: undefined }) })
  .map(({ gameId, status, sinceMs, heldUntil }) => ({
    gameId,
    status,
    sinceMs,
    hold: heldUntil === undefined ? null : aHold({ gameId, heldUntil }),
  }));
const rowsOf = (minLength: number, maxLength: number) =>
  fc.uniqueArray(row, { selector: ({ gameId }) => gameId, minLength, maxLength, size: 'max' });

/** Small populations, to which no limit applies, and larger ones; a few games have dead letters. */
export const population: fc.Arbitrary<Population> = fc.oneof(rowsOf(0, 40), rowsOf(110, 260)).chain((rows) => {
  const ids = rows.map(({ gameId }) => gameId).filter((id) => id === id.trim());
  return fc.subarray(ids, { maxLength: Math.ceil(ids.length / 8) }).map((dead) => ({
    rows,
    dead: new Map(dead.map((id) => [id, { jobId: `job of ${id}`, code: 'conflict' }])),
  }));
});
