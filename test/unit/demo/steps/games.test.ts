import { describe, expect, it } from 'vitest';
import { commandLineCalls, type Game, planGames } from '../../../../demo/steps/games.js';
import { commandLine, requestBy, scenario } from '../../../../demo/scenarios/scenario-builders.js';

const games = (...scenarios: Parameters<typeof planGames>[0]): readonly Game[] =>
  planGames(scenarios).map((plan) => Object.assign({ container: null, recordBefore: null, jobIds: [] }, plan));

describe('the games of a run', () => {
  it('games are numbered through all scenarios that do not name them', () => {
    const planned = planGames([
      scenario('two', [], { games: 2 }),
      scenario('named', [], { games: ['a', 'b'] }),
      scenario('one', []),
    ]);
    expect(planned.map(({ gameId }) => gameId)).toEqual(['demo-1', 'demo-2', 'a', 'b', 'demo-3']);
  });

  it('games are requested by one call of the command line for each source', () => {
    const calls = commandLineCalls(
      games(
        scenario('one', [commandLine], { games: ['a'] }),
        scenario('other service', [requestBy('gm_rest')], { games: ['b'] }),
        scenario('another', [commandLine, { by: 'cli', source: 'gm_rest' }], { games: ['c'] }),
      ),
    );
    expect(calls).toEqual([
      ['enqueue', '--source', 'operator_cli', '--ref', 'demo', '--', 'a', 'c'],
      ['enqueue', '--source', 'gm_rest', '--ref', 'demo', '--', 'c'],
    ]);
  });

  it('a second request of a game is a separate call', () => {
    const calls = commandLineCalls(games(scenario('twice', [commandLine, commandLine], { games: ['a'] })));
    expect(calls.map((call) => call.filter((word) => word === 'a'))).toEqual([['a'], ['a']]);
  });

  it('games without a request by command line need no call', () => {
    expect(commandLineCalls(games(scenario('other service', [requestBy('gm_rest')])))).toEqual([]);
  });
});
