import { describe, expect, it } from 'vitest';
import { planGames } from '../../../../demo/steps/games.js';
import { SCENARIOS } from '../../../../demo/scenarios/all-scenarios.js';
import { CONFLICT_MAX_ATTEMPTS } from '../../../../demo/scenarios/scenario-builders.js';

const outcomes = SCENARIOS.flatMap(({ expected }) => expected.jobs);
const containersOf = ({ games, container }: (typeof SCENARIOS)[number]): number =>
  container === null ? 0 : (typeof games === 'number' ? games : games.length) * (container.idReusedAsName ? 2 : 1);

describe('the scenarios of the demo', () => {
  it('the scenarios create at least 24 containers that exist when the worker starts', () => {
    const existing = SCENARIOS.filter(({ container }) => container?.state !== 'removed');
    expect(existing.map(containersOf).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(24);
  });

  it('the scenarios include every state that a container can have', () => {
    const states = new Set(SCENARIOS.map(({ container }) => container?.state));
    expect([...states]).toEqual(
      expect.arrayContaining(['created', 'exited', 'running', 'paused', 'restarting', 'removed', undefined]),
    );
  });

  it('the scenarios include every outcome of a job that needs no outage', () => {
    expect(new Set(outcomes)).toEqual(
      new Set([
        'completed',
        'completed replay_no_op',
        'completed conflict',
        'completed not_found',
        'dead letter conflict',
        'dead letter container_mismatch',
        'dead letter invalid_request',
        'dead letter not_found',
      ]),
    );
  });

  it('the scenarios include every event and every kind of request', () => {
    expect(new Set(SCENARIOS.map(({ event }) => event))).toEqual(
      new Set([
        'nothing',
        'lease released',
        'lease held throughout',
        'started again',
        'worker killed',
        'engine replaced',
        'repaired, replayed by command line',
        'repaired, replayed through HTTP',
      ]),
    );
    expect(new Set(SCENARIOS.flatMap(({ requests }) => requests.map(({ by }) => by)))).toEqual(
      new Set(['bullmq', 'cli', 'http', 'sweep']),
    );
  });

  it('the names and game ids of the scenarios are unique', () => {
    const names = SCENARIOS.map(({ name }) => name);
    const ids = planGames(SCENARIOS).map(({ gameId }) => gameId);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
    'a scenario does not contradict itself: %s',
    (_name, { container, record, requests, expected }) => {
      expect(container === null, 'no container is expected where none is made').toBe(
        expected.engine === 'no container',
      );
      expect(record === null, 'no record is expected where none is written').toBe(expected.record === 'absent');
      expect(requests.length).toBeGreaterThanOrEqual(expected.jobs.length);
      const conflicts = expected.operations.filter((outcome) => outcome === 'conflict').length;
      expect(expected.jobs.includes('dead letter conflict')).toBe(conflicts === CONFLICT_MAX_ATTEMPTS);
    },
  );
});
