import { describe, expect, it } from 'vitest';
import { judge, type RetentionCase } from '../../../src/retention/judge-record.js';
import { type Judgement, RETENTION_VERDICTS } from '../../../src/retention/judge-record.js';
import { DAY_MS, fromNow, NOW, RETENTION_MS, stopped } from './cases.js';
import { aHold } from '../../support/records.js';

const deadLetter = { jobId: '7', code: 'container_mismatch' };
const heldFor = (ms: number) => aHold({ heldUntil: fromNow(ms) });
const heldForGood = aHold();
/** A case without a dead letter. */
const of = (record: RetentionCase['record']): RetentionCase => ({ record, deadLetter: null });

type Expected = Pick<Judgement, 'verdict' | 'dueAt'>;
const due = (dueAt: Date | null): Expected => ({ verdict: 'due', dueAt });
const notDue = (dueAt: Date | null): Expected => ({ verdict: 'not_due', dueAt });
const held = (dueAt: Date | null): Expected => ({ verdict: 'held', dueAt });
const never = (verdict: Judgement['verdict']): Expected => ({ verdict, dueAt: null });

const rows: readonly [situation: string, RetentionCase, Expected][] = [
  ['stopped for exactly the retention: due now', of(stopped()), due(NOW)],
  ['stopped a millisecond less: due in a millisecond', of(stopped({ forMs: RETENTION_MS - 1 })), notDue(fromNow(1))],
  ['a day late', of(stopped({ forMs: RETENTION_MS + DAY_MS })), due(fromNow(-DAY_MS))],
  ['stopped just now', of(stopped({ forMs: 0 })), notDue(fromNow(RETENTION_MS))],
  ['stopped in the future', of(stopped({ forMs: -DAY_MS })), notDue(fromNow(RETENTION_MS + DAY_MS))],
  ['stopped at minus infinity: due, because the time is unknown', of(stopped({ forMs: Infinity })), due(null)],
  ['stopped at infinity: due at no instant', of(stopped({ forMs: -Infinity })), notDue(null)],
  [
    'stopped so late that it is due beyond the last instant of JavaScript',
    of(stopped({ forMs: NOW.getTime() - 8.64e15 })),
    notDue(null),
  ],
  [
    'stopped so late that it is due at the last instant of JavaScript',
    of(stopped({ forMs: NOW.getTime() - 8.64e15 + RETENTION_MS })),
    notDue(new Date(8.64e15)),
  ],
  ['past due and held: due when the hold ends', of(stopped({ hold: heldFor(DAY_MS) })), held(fromNow(DAY_MS))],
  ['past due and held for good', of(stopped({ hold: heldForGood })), held(null)],
  [
    'held before it is due, and longer than that',
    of(stopped({ forMs: 0, hold: heldFor(RETENTION_MS + 1) })),
    held(fromNow(RETENTION_MS + 1)),
  ],
  [
    'held before it is due, but not as long: the hold changes nothing',
    of(stopped({ forMs: 0, hold: heldFor(DAY_MS) })),
    held(fromNow(RETENTION_MS)),
  ],
  ['held for good before it is due', of(stopped({ forMs: 0, hold: heldForGood })), held(null)],
  ['held, but stopped at minus infinity', of(stopped({ forMs: Infinity, hold: heldFor(DAY_MS) })), held(null)],
  ['past due with a dead letter', { record: stopped(), deadLetter }, never('dead_letter')],
  ['a dead letter before it is due', { record: stopped({ forMs: 0 }), deadLetter }, never('dead_letter')],
  [
    'held and a dead letter: held, and not due when the hold ends',
    { record: stopped({ hold: heldFor(DAY_MS) }), deadLetter },
    never('held'),
  ],
  ['an empty game id', of(stopped({ gameId: '' })), never('invalid_id')],
  ['a game id with a space behind it, which a job would trim', of(stopped({ gameId: 'game-1 ' })), never('invalid_id')],
  ['a game id with a control character', of(stopped({ gameId: 'game\u0007' })), never('invalid_id')],
  ['a game id of 257 characters', of(stopped({ gameId: 'x'.repeat(257) })), never('invalid_id')],
  ['a game id of 256 emoji', of(stopped({ gameId: '🎲'.repeat(256) })), due(NOW)],
  ['an invalid id that is held', of(stopped({ gameId: ' ', hold: heldForGood })), never('invalid_id')],
  ['running', of(stopped({ status: 'running' })), never('running')],
  [
    'running, held and a dead letter',
    { record: stopped({ status: 'running', hold: heldForGood }), deadLetter },
    never('running'),
  ],
  ['running under an invalid id', of(stopped({ status: 'running', gameId: '' })), never('running')],
  ['removed', of(stopped({ status: 'removed' })), never('removed')],
  ['a status of a later version', of(stopped({ status: 'frozen' })), never('unsupported_status')],
];

describe('the judgement on a record', () => {
  it.each(rows)('a record is judged by its facts: %s', (_situation, facts, expected) => {
    expect(judge(facts, RETENTION_MS)).toMatchObject(expected);
  });

  it('the rows cover every verdict', () => {
    expect(new Set(rows.map(([, , { verdict }]) => verdict))).toEqual(new Set(RETENTION_VERDICTS));
  });

  it('a judgement shows the facts that it was made from', () => {
    const hold = heldFor(DAY_MS);
    const record = stopped({ forMs: 0, hold });
    expect(judge({ record, deadLetter }, RETENTION_MS)).toEqual({
      gameId: 'game-1',
      status: 'stopped',
      containerId: record.containerId,
      verdict: 'held',
      stoppedSince: NOW,
      dueAt: null,
      hold,
      deadLetter,
    });
  });

  it('a judgement has a stop time only for a stopped record', () => {
    expect(judge(of(stopped({ status: 'running' })), RETENTION_MS).stoppedSince).toBeNull();
    expect(judge(of(stopped({ forMs: Infinity })), RETENTION_MS).stoppedSince).toBeNull();
  });
});
