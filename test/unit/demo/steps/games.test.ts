import { describe, expect, it } from 'vitest';
import { commandLineCalls, type Game, planGames } from '../../../../demo/steps/games.js';
import { asks, commandLine, scenario } from '../../../../demo/scenarios/scenario-builders.js';

const games = (...scenarios: Parameters<typeof planGames>[0]): readonly Game[] =>
  planGames(scenarios).map((plan) => Object.assign({ container: null, recordBefore: null, jobIds: [] }, plan));

describe('the games of a run', () => {
  it('are numbered through all scenarios that do not name theirs', () => {
    const planned = planGames([
      scenario('two', [], { games: 2 }),
      scenario('named', [], { games: ['a', 'b'] }),
      scenario('one', []),
    ]);
    expect(planned.map(({ gameId }) => gameId)).toEqual(['demo-1', 'demo-2', 'a', 'b', 'demo-3']);
  });

  it('are asked for by one call of the command line for each source', () => {
    const calls = commandLineCalls(
      games(
        scenario('one', [commandLine], { games: ['a'] }),
        scenario('other service', [asks('gm_rest')], { games: ['b'] }),
        scenario('another', [commandLine, { by: 'cli', source: 'gm_rest' }], { games: ['c'] }),
      ),
    );
    expect(calls).toEqual([
      ['enqueue', '--source', 'operator_cli', '--ref', 'demo', '--', 'a', 'c'],
      ['enqueue', '--source', 'gm_rest', '--ref', 'demo', '--', 'c'],
    ]);
  });

  it('are asked for a second time by a call of its own', () => {
    const calls = commandLineCalls(games(scenario('twice', [commandLine, commandLine], { games: ['a'] })));
    expect(calls.map((call) => call.filter((word) => word === 'a'))).toEqual([['a'], ['a']]);
  });

  it('that nobody asks for on the command line need no call', () => {
    expect(commandLineCalls(games(scenario('other service', [asks('gm_rest')])))).toEqual([]);
  });
});
