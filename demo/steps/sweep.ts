/** A sweep of stopped containers that are past their retention: prepared, planned, and then carried out. */
import { act, LOOK_EVERY_MS, makeGames, type ServedStage, startSomeAgain, untilAllEnded } from './step.js';
import { dueGames, listOf, parsed } from '../platform/answers.js';
import { askByQueue, type Game, isSwept, type PlannedGame } from './games.js';
import { judgeNames } from '../report/statements.js';
import type { Verdict } from '../report/verdict.js';
import { eachOf, untilTrue } from '../wait-until.js';

const FIRST_SWEEP_WITHIN_MS = 60_000;

/** Makes the games that nobody asks for, when the schedule's own first sweep is past them. */
export function prepareSweep(stage: ServedStage, planned: readonly PlannedGame[]): Promise<readonly Game[]> {
  const { platform, signal } = stage;
  return act(stage, 'preparing a sweep', async (progress) => {
    const { service, programs } = platform;
    const condition = { what: "the schedule's first sweep", everyMs: LOOK_EVERY_MS, withinMs: FIRST_SWEEP_WITHIN_MS };
    await untilTrue(stage, condition, service.hasSwept);
    const held = planned.filter(({ scenario }) => scenario.record?.held === 'by command line');
    const making = makeGames(stage, planned, (count) => progress.at(count, planned.length));
    const holding = eachOf(held, 1, signal, async ({ gameId }) => {
      await programs.run(['hold', '--reason', 'crash under investigation', '--by', 'demo', '--', gameId]);
    });
    // Both are waited for, whatever becomes of the other, so that none is left behind.
    await Promise.allSettled([making, holding]);
    await holding;
    const made = await making;
    for (const game of made) for (const request of game.scenario.requests) await askByQueue(platform, game, request);
    const games = await startSomeAgain(platform, made);
    await untilAllEnded(stage);
    return { said: `${games.length} games that nobody asks for, ${held.length} of them held`, value: games };
  });
}

/** What a sweep would take, said by command line and through HTTP; then the sweep. Judges the three against each other. */
export async function sweep(stage: ServedStage, games: readonly Game[]): Promise<readonly Verdict[]> {
  const { platform, http } = stage;
  const due = games
    .filter(({ scenario }) => isSwept(scenario) && scenario.expected.engine === 'gone')
    .map(({ gameId }) => gameId);
  const plans = await act(stage, 'planning the sweep', async () => {
    const [document, answer] = await Promise.all([
      platform.programs.run(['sweep', '--dry-run', '--json']),
      http.ask({ method: 'GET', path: 'retention/plan' }),
    ]);
    const byCommandLine = dueGames(listOf(parsed(document, 'the plan'), 'plan'));
    const throughHttp = dueGames(listOf(answer.body, 'items'));
    const said = `${byCommandLine.length} due, by "runtime-cleanup sweep --dry-run" and through HTTP`;
    return { said, more: http.newLines(), value: { byCommandLine, throughHttp } };
  });
  const removed = await act(stage, 'sweeping', async () => {
    const before = await platform.records.removedGames();
    await platform.programs.run(['sweep']);
    await untilAllEnded(stage);
    const value = (await platform.records.removedGames()).filter((gameId) => !before.includes(gameId));
    return { said: `${value.length} removed, by "runtime-cleanup sweep"`, value };
  });
  return [
    judgeNames('sweep --dry-run names what is due', 'games', due, plans.byCommandLine),
    judgeNames('GET …/retention/plan names the same', 'games', plans.byCommandLine, plans.throughHttp),
    judgeNames('the sweep took what was planned', 'games', plans.byCommandLine, removed),
  ];
}
