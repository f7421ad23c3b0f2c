/** What every step of the demo uses: the small platform, progress on the terminal, and waiting for the jobs. */
import type { Game, PlannedGame } from './games.js';
import type { HttpClient } from '../platform/http-client.js';
import type { Platform } from '../platform/platform.js';
import type { ServiceProcess } from '../platform/programs.js';
import { type DemoOutput, type Progress, shownDuration, startProgress } from '../report/progress.js';
import type { Event } from '../scenarios/scenario.js';
import { DemoError } from '../errors.js';
import { becomesTrue, type WaitContext } from '../wait-until.js';

export interface StepContext extends WaitContext {
  readonly platform: Platform;
  readonly output: DemoOutput;
}

/** The same, once the service runs. */
export interface ServiceStepContext extends StepContext {
  readonly service: ServiceProcess;
  readonly http: HttpClient;
}

interface StepResult<T> {
  /** The outcome in a few words, shown on the step's line. */
  readonly summary: string;
  /** Lines to show below it. */
  readonly details?: readonly string[];
  readonly value: T;
}

/** How many games are created or requested at the same time. */
export const CONCURRENCY = 4;
export const READY_WITHIN_MS = 30_000;
export const POLL_MS = 50;
const JOBS_WITHIN_MS = 90_000;

export const hasEvent = (event: Event) => (game: PlannedGame) => game.scenario.event === event;

/** Shows progress while `work` runs; the line at its end says how long it took. */
export async function runStep<T>(
  { output, clock }: Pick<StepContext, 'output' | 'clock'>,
  title: string,
  work: (progress: Progress) => Promise<StepResult<T>>,
): Promise<T> {
  const startedMs = clock.monotonicMs();
  const progress = startProgress(output, title);
  try {
    const { summary, details, value } = await work(progress);
    progress.end(`${title}: ${summary} (${shownDuration(clock.monotonicMs() - startedMs)})`, details);
    return value;
  } finally {
    progress.stop();
  }
}

export function requireRunning(service: ServiceProcess): void {
  if (!service.isRunning()) throw new DemoError('the service process exited although it was not told to');
}

/** Waits until every job has ended. Releases the leases that another service holds once the worker was refused. */
export function waitForJobs(context: ServiceStepContext, games: readonly Game[]): Promise<void> {
  const { platform } = context;
  return runStep(context, 'jobs ended', async (progress) => {
    const held = new Set(games.filter(hasEvent('lease released')));
    const summary = await untilJobsEnded(context, async ({ ended, total }) => {
      progress.update(ended, total);
      for (const game of held) {
        if ((await platform.records.operations(game.gameId, [])).length === 0) continue;
        await platform.leases.release(game.gameId);
        held.delete(game);
      }
    });
    return { summary, value: undefined };
  });
}

interface Counts {
  readonly ended: number;
  readonly total: number;
}

/** Resolves to how many jobs have ended, in words, when all have, or when it takes too long: the table then shows which. */
export async function untilJobsEnded(
  context: ServiceStepContext,
  onPoll: (counts: Counts) => Promise<void> = async () => undefined,
): Promise<string> {
  let counts: Counts = { ended: 0, total: 0 };
  const allEnded = await becomesTrue(context, { everyMs: POLL_MS, withinMs: JOBS_WITHIN_MS }, async () => {
    requireRunning(context.service);
    counts = await context.platform.service.counts();
    await onPoll(counts);
    return counts.ended === counts.total;
  });
  return `${counts.ended} of ${counts.total}${allEnded ? '' : `; the others took longer than ${JOBS_WITHIN_MS / 1_000} s`}`;
}
