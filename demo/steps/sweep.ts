/** A sweep of stopped containers that are past their retention: prepared, planned, and then carried out. */
import { mapConcurrent } from '../../src/async/map-concurrent.js';
import { type Game, isSwept, type PlannedGame, requestByQueue } from './games.js';
import { createGames } from './prepare-games.js';
import { startSomeAgain } from './request-cleanups.js';
import { POLL_MS, runStep, type ServiceStepContext, untilJobsEnded } from './step.js';
import { dueGames, listOf, parseJson } from '../platform/answers.js';
import { shownCommand } from '../platform/programs.js';
import { judgeNames } from '../report/statements.js';
import type { Verdict } from '../report/verdict.js';
import { waitUntil } from '../wait-until.js';

const FIRST_SWEEP_WITHIN_MS = 60_000;

/** Creates the games that are left for the sweep. The schedule's own first sweep must be over: it would take them. */
export function prepareSweep(context: ServiceStepContext, planned: readonly PlannedGame[]): Promise<readonly Game[]> {
  const { platform, signal } = context;
  return runStep(context, 'preparing a sweep', async (progress) => {
    const { service, programs } = platform;
    const condition = { what: "the schedule's first sweep", everyMs: POLL_MS, withinMs: FIRST_SWEEP_WITHIN_MS };
    await waitUntil(context, condition, service.hasSwept);
    const held = planned.filter(({ scenario }) => scenario.record?.held === 'by command line');
    const creating = createGames(context, planned, (count) => progress.update(count, planned.length));
    const holding = mapConcurrent(held, 1, async ({ gameId }) => {
      signal.throwIfAborted();
      await programs.run(['hold', '--reason', 'crash under investigation', '--by', 'demo', '--', gameId]);
    });
    // Both must have settled before tidying up begins, also when one of them failed: it would miss what comes later.
    await Promise.allSettled([creating, holding]);
    await holding;
    const created = await creating;
    for (const game of created) {
      for (const request of game.scenario.requests) await requestByQueue(platform, game, request);
    }
    const games = await startSomeAgain(platform, created);
    await untilJobsEnded(context);
    return { summary: `${games.length} games without a request, ${held.length} of them held`, value: games };
  });
}

/** Plans the sweep by command line and through HTTP, then runs it, and compares the three. */
export async function sweep(context: ServiceStepContext, games: readonly Game[]): Promise<readonly Verdict[]> {
  const { platform, http } = context;
  const due = games
    .filter(({ scenario }) => isSwept(scenario) && scenario.expected.engine === 'gone')
    .map(({ gameId }) => gameId);
  const plans = await runStep(context, 'planning the sweep', async () => {
    const [document, answer] = await Promise.all([
      platform.programs.run(['sweep', '--dry-run', '--json']),
      http.ask({ method: 'GET', path: 'retention/plan' }),
    ]);
    const byCommandLine = dueGames(listOf(parseJson(document, 'the plan'), 'plan'));
    const throughHttp = dueGames(listOf(answer.body, 'items'));
    const summary = `${byCommandLine.length} due, by "${shownCommand('sweep --dry-run')}" and through HTTP`;
    return { summary, details: http.newLines(), value: { byCommandLine, throughHttp } };
  });
  const removed = await runStep(context, 'sweeping', async () => {
    const before = await platform.records.removedGames();
    await platform.programs.run(['sweep']);
    await untilJobsEnded(context);
    const value = (await platform.records.removedGames()).filter((gameId) => !before.includes(gameId));
    return { summary: `${value.length} removed, by "${shownCommand('sweep')}"`, value };
  });
  return [
    judgeNames('sweep --dry-run names what is due', 'games', due, plans.byCommandLine),
    judgeNames('GET …/retention/plan names the same', 'games', plans.byCommandLine, plans.throughHttp),
    judgeNames('the sweep took what was planned', 'games', plans.byCommandLine, removed),
  ];
}
