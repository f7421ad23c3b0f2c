/**
 * The demo: creates a small platform with real containers in every state, starts the service that cleans them up, and
 * compares what was expected with what is true in the engine, the database and the queue.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../src/app/context.js';
import type { Environment } from '../src/config/environment.js';
import { createFolder, openPlatform } from './platform/platform.js';
import { tailOf } from './platform/programs.js';
import { createTidyUp, type TidyUp } from './platform/tidy-up.js';
import type { DemoOutput } from './report/progress.js';
import { isAsExpected, type Report, reportDocument, reportText } from './report/report.js';
import { judgeServiceEnd } from './report/statements.js';
import { type Facts, judge } from './report/verdict.js';
import { SCENARIOS } from './scenarios/all-scenarios.js';
import { type Game, inspectGame, isSwept, planGames } from './steps/games.js';
import { prepareGames } from './steps/prepare-games.js';
import { replaceEngine } from './steps/replace-engine.js';
import { replayByCommandLine, useHttp } from './steps/replay-dead-letters.js';
import { requestCleanups, startService } from './steps/request-cleanups.js';
import { hasEvent, runStep, type StepContext, waitForJobs } from './steps/step.js';
import { prepareSweep, sweep } from './steps/sweep.js';

export interface DemoOptions extends Pick<Context, 'config' | 'log' | 'clock' | 'signal'> {
  readonly output: DemoOutput;
  /** The environment that `config` was read from: the demo's programs get it too, without what leads to a live platform. */
  readonly environment: Environment;
}

interface RunFiles {
  readonly runId: string;
  readonly folder: string;
  readonly logFile: string;
}

/**
 * Runs the demo and shows its result. Resolves to whether every row was as expected and everything was removed again.
 * Rejects with the error that ended it early, or with the signal's reason; it has tidied up then too.
 */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const { output, signal } = options;
  signal.throwIfAborted();
  const runId = randomBytes(4).toString('hex');
  const folder = await createFolder(runId);
  const files: RunFiles = { runId, folder, logFile: join(folder, 'service.log') };
  const tidyUp = createTidyUp();
  let isFine = false;
  try {
    const report = await runSteps(options, files, tidyUp);
    isFine = isAsExpected(report);
    showReport(report, options);
  } catch (error) {
    // After an interruption, errors of what is being stopped are not the reason.
    signal.throwIfAborted();
    await showLogTail(output, files);
    throw error;
  } finally {
    const isTidy = await removeEverything(options, tidyUp);
    isFine = isFine && isTidy;
    // The log is kept when it may show what went wrong.
    if (!isFine && !signal.aborted && existsSync(files.logFile)) {
      output.stderr.write(`the service's log is kept: ${files.logFile}\n`);
    } else {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return isFine;
}

async function runSteps(options: DemoOptions, files: RunFiles, tidyUp: TidyUp): Promise<Report> {
  const { config, log, clock, signal, output, environment } = options;
  const startedMs = clock.monotonicMs();
  const platform = await runStep({ output, clock }, 'starting a platform', async () => {
    const user = { config, log, clock, signal };
    const value = await openPlatform({ user, environment, ...files }, tidyUp);
    return { summary: `engine, database, ${value.config.queueBackend} queue`, value };
  });
  const context: StepContext = { platform, output, clock, signal };
  const planned = planGames(SCENARIOS);
  const prepared = await prepareGames(
    context,
    planned.filter((plan) => !isSwept(plan.scenario) && !losesEngine(plan)),
  );
  const requested = await requestCleanups(context, prepared);
  const serving = await startService(context, tidyUp);
  await waitForJobs(serving, requested);
  const swept = await prepareSweep(
    serving,
    planned.filter(({ scenario }) => isSwept(scenario)),
  );
  const sweepVerdicts = await sweep(serving, swept);
  const byCommandLine = await replayByCommandLine(serving, [...requested, ...swept]);
  const throughHttp = await useHttp(serving, byCommandLine.games);
  const afterwards = await replaceEngine(serving, planned.filter(losesEngine));
  const ending = await serving.service.stop();

  const facts = await inspectAll(context, [...throughHttp.games, ...afterwards.games]);
  const { removed, kept } = countContainers(facts);
  return {
    queueBackend: platform.config.queueBackend,
    verdicts: [
      ...judgeScenarios(facts),
      ...sweepVerdicts,
      ...byCommandLine.verdicts,
      ...throughHttp.verdicts,
      ...afterwards.verdicts,
      judgeServiceEnd(ending),
    ],
    containersCreated: platform.containers.created(),
    containersRemoved: removed,
    containersKept: kept,
    jobs: (await platform.service.counts()).total,
    httpCalls: serving.http.calls(),
    elapsedMs: clock.monotonicMs() - startedMs,
  };
}

const losesEngine = hasEvent('engine replaced');

interface GameFacts {
  readonly game: Game;
  readonly found: Facts;
}

async function inspectAll({ platform }: StepContext, games: readonly Game[]): Promise<readonly GameFacts[]> {
  const jobs = await platform.service.jobs();
  return Promise.all(games.map(async (game) => ({ game, found: await inspectGame(platform, game, jobs) })));
}

const judgeScenarios = (facts: readonly GameFacts[]) =>
  SCENARIOS.map((scenario) =>
    judge(
      scenario,
      facts.flatMap(({ game, found }) => (game.scenario === scenario ? [found] : [])),
    ),
  );

/** Counts the containers that existed when the service started. */
function countContainers(facts: readonly GameFacts[]): { readonly removed: number; readonly kept: number } {
  const existed = facts.filter(({ game: { container, scenario } }) => {
    const plan = scenario.container;
    return container !== null && plan !== null && (plan.state !== 'removed' || plan.idReusedAsName);
  });
  const removed = existed.filter(({ found }) => found.engine === 'gone').length;
  return { removed, kept: existed.length - removed };
}

function showReport(report: Report, { output: { stdout, json }, environment }: DemoOptions): void {
  if (json) {
    stdout.write(`${JSON.stringify(reportDocument(report), null, 2)}\n`);
    return;
  }
  const forbidsColor = (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb';
  stdout.write(reportText(report, { isColored: stdout.isTTY === true && !forbidsColor }));
}

/** Removes everything that the demo created. Resolves to false, and shows the reasons, when something is left. */
async function removeEverything({ output, clock }: DemoOptions, tidyUp: TidyUp): Promise<boolean> {
  await runStep({ output, clock }, 'tidying up', async () => {
    await tidyUp.closeAll();
    const problems = tidyUp.problems().length;
    return { summary: problems === 0 ? 'nothing is left' : `${problems} things are left`, value: undefined };
  });
  for (const problem of tidyUp.problems()) output.stderr.write(`could not be removed: ${problem}\n`);
  return tidyUp.problems().length === 0;
}

async function showLogTail({ stderr }: DemoOutput, { logFile }: RunFiles): Promise<void> {
  const tail = await tailOf(logFile).catch(() => '');
  if (tail !== '') stderr.write(`the last lines of the service's log:\n${tail}\n`);
}
