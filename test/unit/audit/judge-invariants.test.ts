import { expect, it } from 'vitest';
import { judgeLease, judgeReason, judgeRemoved, judgeRow } from '../../../src/audit/judge-invariants.js';
import type { AuditedRecord } from '../../../src/audit/audit-ports.js';
import { CONTAINER_ID, OTHER_CONTAINER_ID } from '../../support/records.js';
import { aFailed, aRemoved, aRow } from './audit-world.js';

type Verdict = 'sound' | 'broken' | 'warning';

const removals: readonly [situation: string, verdict: Verdict, Partial<AuditedRecord>][] = [
  ['with its row', 'sound', {}],
  ['with the mark of a cleanup but without a row of that moment', 'broken', { rowsOfRemoval: 0 }],
  ['without the mark of a cleanup and without a row', 'warning', { rowsOfRemoval: 0, bearsOurMark: false }],
  ['with two rows of one removal', 'broken', { rowsOfRemoval: 2 }],
  ['with its row, changed by another service since,', 'sound', { bearsOurMark: false }],
];

it.each(removals)('a removed record %s is judged as %s', (_situation, verdict, over) => {
  expect(judgeRemoved(aRemoved(over))?.severity ?? 'sound').toBe(verdict);
});

const stopped = { status: 'stopped', containerId: CONTAINER_ID };
const rows: readonly [situation: string, verdict: Verdict, Partial<AuditedRecord>][] = [
  ['with a success row and its removal', 'sound', {}],
  ['without a row', 'sound', { newestRow: null }],
  ['with a row that is newer than the removal', 'broken', { newestRow: aRow({ afterRemoval: true }) }],
  ['with a row, but still stopped with its container,', 'broken', stopped],
  ['with a row, but running with its container,', 'broken', { ...stopped, status: 'running' }],
  [
    'with a row, and its container again after a change,',
    'warning',
    { ...stopped, newestRow: aRow({ recordUntouched: false }) },
  ],
  [
    'with a row, but started again with another container,',
    'sound',
    { status: 'running', containerId: OTHER_CONTAINER_ID },
  ],
  [
    'with a row without container, stopped and unchanged since,',
    'broken',
    { status: 'stopped', newestRow: aRow({ containerId: '' }) },
  ],
  [
    'with a row without container, stopped and changed since,',
    'sound',
    { status: 'stopped', newestRow: aRow({ containerId: '', recordUntouched: false }) },
  ],
  ['with a second row for one container', 'warning', { newestRow: aRow({ isRepeated: true }) }],
];

it.each(rows)('a record %s is judged as %s', (_situation, verdict, over) => {
  expect(judgeRow(aRemoved(over)).map(({ severity }) => severity)).toEqual(verdict === 'sound' ? [] : [verdict]);
});

it('a contradiction names the row, the job and the container', () => {
  expect(judgeRow(aRemoved(stopped))[0]).toMatchObject({
    gameId: 'game-1',
    jobId: '12',
    containerId: CONTAINER_ID,
    what: 'success row 7 says that the container was removed, but the record is still "stopped" and names it',
  });
});

it.each([
  [0, 'sound'],
  [3_600_000, 'sound'],
  [3_600_001, 'broken'],
  [null, 'broken'],
] as const)('a lease with %s ms left is judged as %s', (lifeMs, verdict) => {
  const lease = { gameId: 'game-1', lifeMs, place: 'the Redis key "k"' };
  expect(judgeLease(lease)?.severity ?? 'sound').toBe(verdict);
});

it('the finding of a lease that never ends names its location', () => {
  const lease = { gameId: null, lifeMs: null, place: 'the Redis key "k"' };
  expect(judgeLease(lease)).toMatchObject({
    what: 'the lease in the Redis key "k" never ends; allowed: at most 3600 s',
  });
});

it('a reason that cannot be read is quoted up to a limit', () => {
  const finding = judgeReason(aFailed({ isReadable: false, reason: `job\nstalled${'!'.repeat(9_999)}`, gameId: '' }));
  expect(finding).toMatchObject({ severity: 'broken', gameId: null, jobId: '12' });
  expect(finding?.what).toContain(String.raw`"job\nstalled!!!`);
  expect(finding?.what.length).toBeLessThan(300);
  expect(judgeReason(aFailed())).toBeUndefined();
});
