import { describe, expect, it } from 'vitest';
import type { Expected, Scenario } from '../../../demo/scenario.js';
import { SCENARIOS } from '../../../demo/scenarios.js';
import {
  givenUp,
  notAskedFor,
  refused,
  refusedUnknown,
  REMOVED,
  REMOVED_ONCE,
  scenario,
} from '../../../demo/scenario-words.js';
import { type Facts, judge, jobWord, operationWord, type RecordRow } from '../../../demo/verdict.js';

const BEFORE: RecordRow = {
  game_id: 'game-1',
  status: 'stopped',
  current_container_id: 'c0ffee',
  current_image_ref: 'games/chess:3',
  state_path: '/srv/games/1',
  removed_at: null,
  last_op_at: '2026-11-01T00:00:00+00:00',
  lease_epoch: 0,
};
const REMOVED_ROW: RecordRow = {
  ...BEFORE,
  status: 'removed',
  current_container_id: null,
  removed_at: '2026-11-23T00:00:00+00:00',
  last_op_at: '2026-11-23T00:00:00+00:00',
  lease_epoch: 1,
};

const rowAfter = (record: Expected['record']): RecordRow | null =>
  record === 'absent' ? null : record === 'removed' ? REMOVED_ROW : { ...BEFORE, lease_epoch: 4 };

/** What a faultless run would find. */
const asExpected = ({ expected }: Pick<Scenario, 'expected'>, gameId = 'game-1'): Facts => ({
  gameId,
  engine: expected.engine,
  volumesLeft: 0,
  recordBefore: expected.record === 'absent' ? null : BEFORE,
  recordAfter: rowAfter(expected.record),
  operations: expected.operations,
  jobs: expected.jobs,
});

const played = (expected: Expected): Scenario => scenario('some game', [], { expected });
const differences = (expected: Expected, over: Partial<Facts>): readonly string[] =>
  judge(played(expected), [{ ...asExpected({ expected }), ...over }]).differences;

describe('a scenario that went as expected', () => {
  it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))('does not differ: %s', (_name, scenario) => {
    const games =
      typeof scenario.games === 'number' ? Array.from({ length: scenario.games }, () => 'g') : scenario.games;
    const verdict = judge(
      scenario,
      games.map((gameId) => asExpected(scenario, gameId)),
    );
    expect(verdict).toMatchObject({ scenario: scenario.name, games: games.length, differences: [] });
  });

  it('may have its restarting container running just then', () => {
    expect(differences(givenUp('restarting'), { engine: 'running' })).toEqual([]);
  });

  it('may have its two jobs listed in either order', () => {
    expect(differences(REMOVED_ONCE, { jobs: REMOVED_ONCE.jobs.toReversed() })).toEqual([]);
  });

  it('may have more conflicts logged where chance decides how many, wherever they come', () => {
    const operations = ['conflict', 'success', 'conflict', 'replay_no_op'];
    expect(differences(REMOVED_ONCE, { operations })).toEqual([]);
  });

  it('may be that nothing was asked for, and is told so', () => {
    const expected = notAskedFor('created');
    expect(judge(played(expected), [asExpected({ expected })])).toMatchObject({
      expected: 'stays created; no job',
      database: 'stopped; nothing',
      queue: 'nothing',
      differences: [],
    });
  });

  it('is told in few words: what all games have in common once, repetitions counted', () => {
    const expected = givenUp('exited');
    const twice = { ...played(expected), games: 2 };
    expect(judge(twice, [asExpected({ expected }, 'a'), asExpected({ expected }, 'b')])).toEqual({
      scenario: 'some game',
      games: 2,
      expected: 'stays exited; dead letter conflict',
      engine: 'exited',
      database: 'stopped; 4 × conflict',
      queue: 'dead letter conflict',
      differences: [],
    });
  });
});

describe('a scenario differs when', () => {
  const kept = refused('exited', 'container_mismatch');
  const rows: readonly [situation: string, Expected, Partial<Facts>, says: RegExp][] = [
    ['a container that should be gone is there', REMOVED, { engine: 'exited' }, /should be gone, it is exited/],
    ['a container that should stay is gone', kept, { engine: 'gone' }, /should be exited, it is gone/],
    ['a running container was stopped', givenUp('running'), { engine: 'exited' }, /should be running, it is exited/],
    ['an anonymous volume is left', REMOVED, { volumesLeft: 1 }, /1 of its volumes are left/],
    ['the record still says stopped', REMOVED, { recordAfter: BEFORE }, /should be removed, it is stopped/],
    [
      'the removed record still names the container',
      REMOVED,
      { recordAfter: { ...REMOVED_ROW, current_container_id: 'c0ffee' } },
      /should name no container/,
    ],
    [
      'the removed record does not say when',
      REMOVED,
      { recordAfter: { ...REMOVED_ROW, removed_at: null } },
      /does not say when/,
    ],
    [
      'a column that is not ours was changed by a removal',
      REMOVED,
      { recordAfter: { ...REMOVED_ROW, state_path: '' } },
      /columns state_path should not have changed/,
    ],
    [
      'a refusal changed the record',
      kept,
      { recordAfter: { ...BEFORE, last_op_at: '2026-11-23T00:00:00+00:00' } },
      /columns last_op_at should not have changed/,
    ],
    ['the record vanished', kept, { recordAfter: null }, /record is missing/],
    ['a record appeared', refusedUnknown('not_found'), { recordAfter: BEFORE }, /should be no record/],
    ['the operation log has no row', REMOVED, { operations: [] }, /should say success, it says nothing/],
    ['it has a row too many', kept, { operations: ['container_mismatch', 'container_mismatch'] }, /it says 2 × /],
    ['it has another code', kept, { operations: ['internal_error'] }, /it says internal_error/],
    ['it has a conflict too few', givenUp('exited'), { operations: ['conflict', 'conflict'] }, /it says 2 × conflict/],
    [
      'it has a conflict that has no excuse',
      REMOVED,
      { operations: ['conflict', 'success'] },
      /it says conflict, success/,
    ],
    [
      'it lacks the conflict that must come first',
      { ...REMOVED, operations: ['conflict', 'success'], moreConflicts: true },
      { operations: ['success'] },
      /should say conflict, success, it says success/,
    ],
    ['the job ended otherwise', kept, { jobs: ['completed'] }, /should have it dead letter .*, it has it completed/],
    ['the dead letter has another code', kept, { jobs: ['dead letter not_found'] }, /it has it dead letter not_found/],
    [
      'two requests became two jobs',
      REMOVED,
      { jobs: ['completed', 'completed replay_no_op'] },
      /should have it completed,/,
    ],
    ['the job has not ended', REMOVED, { jobs: ['delayed'] }, /it has it delayed/],
    [
      'a job was made that nobody should have asked for',
      notAskedFor('created'),
      { jobs: ['completed'] },
      /have it nothing, it/,
    ],
    ['the job is nowhere', REMOVED, { jobs: [] }, /it has it nothing/],
  ];

  it.each(rows)('%s', (_situation, expected, over, says) => {
    const found = differences(expected, over);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(says);
  });

  it('one of its games does, and says which', () => {
    const two = { ...played(REMOVED), games: 2 };
    const facts = [asExpected(two, 'a'), { ...asExpected(two, 'b'), engine: 'exited' }];
    const verdict = judge(two, facts);
    expect(verdict.engine).toBe('gone | exited');
    expect(verdict.differences).toEqual(['game "b": the container should be gone, it is exited']);
  });

  it('a game was not looked at', () => {
    const two = { ...played(REMOVED), games: 2 };
    expect(judge(two, [asExpected(two)]).differences).toEqual(['1 of 2 games were looked at']);
  });
});

describe('a state and its code in words', () => {
  it.each([
    ['completed', '', 'completed'],
    ['completed', 'replay_no_op', 'completed replay_no_op'],
    ['completed', undefined, 'completed without a result'],
    ['failed', 'conflict', 'dead letter conflict'],
    ['failed', undefined, 'dead letter without a code'],
    ['delayed', undefined, 'delayed'],
  ])('%s with code %j is "%s"', (state, code, word) => {
    expect(jobWord(state, code)).toBe(word);
  });

  it('an operation without a code is a success', () => {
    expect([operationWord(''), operationWord('conflict')]).toEqual(['success', 'conflict']);
  });
});
