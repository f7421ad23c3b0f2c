import { describe, expect, it } from 'vitest';
import { planGames } from '../../../../demo/steps/games.js';
import { SCENARIOS } from '../../../../demo/scenarios/all-scenarios.js';
import { CONFLICT_MAX_ATTEMPTS } from '../../../../demo/scenarios/scenario-builders.js';

const words = SCENARIOS.flatMap(({ expected }) => expected.jobs);
const containersOf = ({ games, container }: (typeof SCENARIOS)[number]): number =>
  container === null ? 0 : (typeof games === 'number' ? games : games.length) * (container.impostor ? 2 : 1);

describe('the scenarios of the demo', () => {
  it('make at least 24 containers that are there when the worker comes', () => {
    const there = SCENARIOS.filter(({ container }) => container?.state !== 'removed');
    expect(there.map(containersOf).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(24);
  });

  it('show every state of a container that can be made at will', () => {
    const states = new Set(SCENARIOS.map(({ container }) => container?.state));
    expect([...states]).toEqual(
      expect.arrayContaining(['created', 'exited', 'running', 'paused', 'restarting', 'removed', undefined]),
    );
  });

  it('show every ending that needs no outage', () => {
    expect(new Set(words)).toEqual(
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

  it('show every event, and requests by everybody who may ask', () => {
    expect(new Set(SCENARIOS.map(({ event }) => event))).toEqual(
      new Set([
        'nothing',
        'lease given back',
        'lease held throughout',
        'started again',
        'worker killed',
        'mended, replayed by command line',
        'mended, replayed through HTTP',
      ]),
    );
    expect(new Set(SCENARIOS.flatMap(({ requests }) => requests.map(({ by }) => by)))).toEqual(
      new Set(['bullmq', 'cli', 'http', 'sweep']),
    );
  });

  it('have names and game ids of their own', () => {
    const names = SCENARIOS.map(({ name }) => name);
    const ids = planGames(SCENARIOS).map(({ gameId }) => gameId);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
    'do not contradict themselves: %s',
    (_name, { container, record, requests, expected }) => {
      expect(container === null, 'no container is expected where none is made').toBe(
        expected.engine === 'no container',
      );
      expect(record === null, 'no record is expected where none is written').toBe(expected.record === 'absent');
      expect(requests.length).toBeGreaterThanOrEqual(expected.jobs.length);
      const conflicts = expected.operations.filter((word) => word === 'conflict').length;
      expect(expected.jobs.includes('dead letter conflict')).toBe(conflicts === CONFLICT_MAX_ATTEMPTS);
    },
  );
});
