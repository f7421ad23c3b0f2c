import { describe, expect, it } from 'vitest';
import type { Expected, Scenario } from '../../../../demo/scenarios/scenario.js';
import { SCENARIOS } from '../../../../demo/scenarios/all-scenarios.js';
import {
  retriesExhausted,
  notRequested,
  refused,
  refusedUnknown,
  REMOVED,
  REMOVED_ONCE,
  scenario,
} from '../../../../demo/scenarios/scenario-builders.js';
import { type Facts, judge, jobOutcome, operationOutcome, type RecordRow } from '../../../../demo/report/verdict.js';

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

/** The facts when everything is as expected. */
const asExpected = ({ expected }: Pick<Scenario, 'expected'>, gameId = 'game-1'): Facts => ({
  gameId,
  engine: expected.engine,
  volumesLeft: 0,
  recordBefore: expected.record === 'absent' ? null : BEFORE,
  recordAfter: rowAfter(expected.record),
  operations: expected.operations,
  jobs: expected.jobs,
});

const scenarioOf = (expected: Expected): Scenario => scenario('some game', [], { expected });
const differences = (expected: Expected, over: Partial<Facts>): readonly string[] =>
  judge(scenarioOf(expected), [{ ...asExpected({ expected }), ...over }]).differences;

describe('a scenario without differences', () => {
  it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
    'a scenario whose facts are as expected does not differ: %s',
    (_name, scenario) => {
      const games =
        typeof scenario.games === 'number' ? Array.from({ length: scenario.games }, () => 'g') : scenario.games;
      const verdict = judge(
        scenario,
        games.map((gameId) => asExpected(scenario, gameId)),
      );
      expect(verdict).toMatchObject({ scenario: scenario.name, games: games.length, differences: [] });
    },
  );

  it('a restarting container may be running at the moment it is inspected', () => {
    expect(differences(retriesExhausted('restarting'), { engine: 'running' })).toEqual([]);
  });

  it('two jobs may be listed in either order', () => {
    expect(differences(REMOVED_ONCE, { jobs: REMOVED_ONCE.jobs.toReversed() })).toEqual([]);
  });

  it('more conflicts may be logged, at any place, when timing decides how many', () => {
    const operations = ['conflict', 'success', 'conflict', 'replay_no_op'];
    expect(differences(REMOVED_ONCE, { operations })).toEqual([]);
  });

  it('a scenario without a request is shown without a job', () => {
    const expected = notRequested('created');
    expect(judge(scenarioOf(expected), [asExpected({ expected })])).toMatchObject({
      expected: 'stays created; no job',
      database: 'stopped; nothing',
      queue: 'nothing',
      differences: [],
    });
  });

  it('equal texts of several games are shown once, and repetitions are counted', () => {
    const expected = retriesExhausted('exited');
    const twice = { ...scenarioOf(expected), games: 2 };
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

describe('a scenario that differs', () => {
  const kept = refused('exited', 'container_mismatch');
  const rows: readonly [situation: string, Expected, Partial<Facts>, says: RegExp][] = [
    ['a container that should be gone is there', REMOVED, { engine: 'exited' }, /should be gone, it is exited/],
    ['a container that should stay is gone', kept, { engine: 'gone' }, /should be exited, it is gone/],
    [
      'a running container was stopped',
      retriesExhausted('running'),
      { engine: 'exited' },
      /should be running, it is exited/,
    ],
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
      'a removal changed a column that belongs to another service',
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
    ['the record is missing', kept, { recordAfter: null }, /record is missing/],
    [
      'there is a record, but none is expected',
      refusedUnknown('not_found'),
      { recordAfter: BEFORE },
      /should be no record/,
    ],
    ['the operation log has no row', REMOVED, { operations: [] }, /should say success, it says nothing/],
    [
      'the operation log has one row too many',
      kept,
      { operations: ['container_mismatch', 'container_mismatch'] },
      /it says 2 × /,
    ],
    ['the operation log has another code', kept, { operations: ['internal_error'] }, /it says internal_error/],
    [
      'the operation log has one conflict too few',
      retriesExhausted('exited'),
      { operations: ['conflict', 'conflict'] },
      /it says 2 × conflict/,
    ],
    [
      'the operation log has a conflict that is not expected',
      REMOVED,
      { operations: ['conflict', 'success'] },
      /it says conflict, success/,
    ],
    [
      'the operation log lacks the conflict that must come first',
      { ...REMOVED, operations: ['conflict', 'success'], moreConflicts: true },
      { operations: ['success'] },
      /should say conflict, success, it says success/,
    ],
    ['the job has another outcome', kept, { jobs: ['completed'] }, /should be dead letter .*, they are completed/],
    ['the dead letter has another code', kept, { jobs: ['dead letter not_found'] }, /they are dead letter not_found/],
    [
      'two requests became two jobs',
      REMOVED,
      { jobs: ['completed', 'completed replay_no_op'] },
      /should be completed,/,
    ],
    ['the job has not ended', REMOVED, { jobs: ['delayed'] }, /they are delayed/],
    [
      'there is a job, but no request is expected',
      notRequested('created'),
      { jobs: ['completed'] },
      /should be nothing, they/,
    ],
    ['the job is missing', REMOVED, { jobs: [] }, /they are nothing/],
  ];

  it.each(rows)('a scenario differs when %s', (_situation, expected, over, says) => {
    const found = differences(expected, over);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(says);
  });

  it('a scenario differs when one of its games does, and the difference names the game', () => {
    const two = { ...scenarioOf(REMOVED), games: 2 };
    const facts = [asExpected(two, 'a'), { ...asExpected(two, 'b'), engine: 'exited' }];
    const verdict = judge(two, facts);
    expect(verdict.engine).toBe('gone | exited');
    expect(verdict.differences).toEqual(['game "b": the container should be gone, it is exited']);
  });

  it('a scenario differs when a game was not inspected', () => {
    const two = { ...scenarioOf(REMOVED), games: 2 };
    expect(judge(two, [asExpected(two)]).differences).toEqual(['1 of 2 games were inspected']);
  });
});

describe('outcomes', () => {
  it.each([
    ['completed', '', 'completed'],
    ['completed', 'replay_no_op', 'completed replay_no_op'],
    ['completed', undefined, 'completed without a result'],
    ['failed', 'conflict', 'dead letter conflict'],
    ['failed', undefined, 'dead letter without a code'],
    ['delayed', undefined, 'delayed'],
  ])('a job that is %s with code %j has the outcome "%s"', (state, code, outcome) => {
    expect(jobOutcome(state, code)).toBe(outcome);
  });

  it('an operation without a code is a success', () => {
    expect([operationOutcome(''), operationOutcome('conflict')]).toEqual(['success', 'conflict']);
  });
});
