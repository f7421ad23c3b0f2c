/**
 * A platform in small, for a minute: real containers in every state, a service that really cleans them up, and a table
 * that compares what was expected with what is true in the engine, the database and the queue.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../src/app/context.js';
import { type Environment, processEnvironment } from '../src/config/environment.js';
import { act, askForAll, prepareGames, type Stage, startService, watchJobs } from './steps/step.js';
import { type Game, isSwept, lookAt, planGames } from './steps/games.js';
import type { DemoIo } from './report/progress.js';
import { mendByCommandLine, useHttp } from './steps/replay-dead-letters.js';
import { makeFolder, openPlatform } from './platform/platform.js';
import { tailOf } from './platform/programs.js';
import { isAsExpected, type Report, reportDocument, reportText } from './report/report.js';
import { SCENARIOS } from './scenarios/all-scenarios.js';
import { judgeServiceEnd } from './report/statements.js';
import { prepareSweep, sweep } from './steps/sweep.js';
import { createTidyUp, type TidyUp } from './platform/tidy-up.js';
import { type Facts, judge } from './report/verdict.js';

export interface DemoOptions extends Pick<Context, 'config' | 'log' | 'clock' | 'signal'> {
  readonly io: DemoIo;
  readonly environment?: Environment;
}

interface Files {
  readonly folder: string;
  readonly logFile: string;
}

/**
 * Plays the demonstration and shows its table. Resolves to whether everything was as expected and nothing was left
 * behind. Rejects with what kept it from its end, or with the signal's reason; it has tidied up then, too.
 */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const { io, signal } = options;
  signal.throwIfAborted();
  const runId = randomBytes(4).toString('hex');
  const folder = await makeFolder(runId);
  const files: Files = { folder, logFile: join(folder, 'service.log') };
  const tidyUp = createTidyUp();
  let isFine = false;
  try {
    const report = await play(options, runId, files, tidyUp);
    isFine = isAsExpected(report);
    show(report, options);
  } catch (error) {
    // Whatever broke while everything was being stopped, it is not the reason.
    signal.throwIfAborted();
    await showLog(io, files);
    throw error;
  } finally {
    const isTidy = await leaveNothing(options, tidyUp);
    isFine = isFine && isTidy;
    // The service's log is worth keeping where somebody has to find out what went wrong.
    if (!isFine && !signal.aborted && existsSync(files.logFile)) {
      io.stderr.write(`the service's log is kept: ${files.logFile}\n`);
    } else {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return isFine;
}

async function play(
  { config, log, clock, signal, io, environment = processEnvironment() }: DemoOptions,
  runId: string,
  { folder, logFile }: Files,
  tidyUp: TidyUp,
): Promise<Report> {
  const startedMs = clock.monotonicMs();
  const platform = await act({ io, clock }, 'starting a platform', async () => {
    const given = { config, log, clock, signal };
    const value = await openPlatform({ given, environment, runId, folder, logFile }, tidyUp);
    return { said: `engine, database, ${value.config.queueBackend} queue`, value };
  });
  const stage: Stage = { platform, io, clock, signal };
  const planned = planGames(SCENARIOS);
  const prepared = await prepareGames(
    stage,
    planned.filter(({ scenario }) => !isSwept(scenario)),
  );
  const asked = await askForAll(stage, prepared);
  const served = await startService(stage, tidyUp);
  await watchJobs(served, asked);
  const swept = await prepareSweep(
    served,
    planned.filter(({ scenario }) => isSwept(scenario)),
  );
  const sweeping = await sweep(served, swept);
  const byCommandLine = await mendByCommandLine(served, [...asked, ...swept]);
  const throughHttp = await useHttp(served, byCommandLine.games);
  const { games } = throughHttp;
  const ending = await served.service.stop();

  const facts = await lookAtAll(stage, games);
  const verdicts = SCENARIOS.map((scenario) =>
    judge(
      scenario,
      facts.flatMap((fact) => (fact.game.scenario === scenario ? [fact.found] : [])),
    ),
  );
  const { removed, kept } = fates(facts);
  return {
    queueBackend: platform.config.queueBackend,
    verdicts: [...verdicts, ...sweeping, ...byCommandLine.verdicts, ...throughHttp.verdicts, judgeServiceEnd(ending)],
    containersMade: platform.containers.made(),
    containersRemoved: removed,
    containersKept: kept,
    jobs: (await platform.service.counts()).total,
    httpCalls: served.http.calls(),
    elapsedMs: clock.monotonicMs() - startedMs,
  };
}

interface GameFacts {
  readonly game: Game;
  readonly found: Facts;
}

async function lookAtAll({ platform }: Stage, games: readonly Game[]): Promise<readonly GameFacts[]> {
  const jobs = await platform.service.jobs();
  return Promise.all(games.map(async (game) => ({ game, found: await lookAt(platform, game, jobs) })));
}

/** Of the containers that were there when the service came. */
function fates(facts: readonly GameFacts[]): { readonly removed: number; readonly kept: number } {
  const there = facts.filter(({ game: { container, scenario } }) => {
    const plan = scenario.container;
    return container !== null && plan !== null && (plan.state !== 'removed' || plan.impostor);
  });
  const removed = there.filter(({ found }) => found.engine === 'gone').length;
  return { removed, kept: there.length - removed };
}

function show(report: Report, { io: { stdout, json }, environment = processEnvironment() }: DemoOptions): void {
  if (json) {
    stdout.write(`${JSON.stringify(reportDocument(report), null, 2)}\n`);
    return;
  }
  const asksForNone = (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb';
  stdout.write(reportText(report, stdout.isTTY === true && !asksForNone));
}

/** Undoes everything; false when something could not be undone, which is then said. */
async function leaveNothing({ io, clock }: DemoOptions, tidyUp: TidyUp): Promise<boolean> {
  await act({ io, clock }, 'tidying up', async () => {
    await tidyUp.closeAll();
    const problems = tidyUp.problems().length;
    return { said: problems === 0 ? 'nothing is left' : `${problems} things are left`, value: undefined };
  });
  for (const problem of tidyUp.problems()) io.stderr.write(`left behind: ${problem}\n`);
  return tidyUp.problems().length === 0;
}

async function showLog({ stderr }: DemoIo, { logFile }: Files): Promise<void> {
  const tail = await tailOf(logFile).catch(() => '');
  if (tail !== '') stderr.write(`the service's last words:\n${tail}\n`);
}
