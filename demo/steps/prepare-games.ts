/** Creates the games of the demo, and kills a worker in the middle of one game's job. */
import { mapConcurrent } from '../../src/async/map-concurrent.js';
import { type Game, type PlannedGame, prepareGame, requestByQueue } from './games.js';
import { waitUntil } from '../wait-until.js';
import { CONCURRENCY, hasEvent, POLL_MS, READY_WITHIN_MS, requireRunning, runStep, type StepContext } from './step.js';

/** Creates these games; `onCreated` is called with how many exist so far. */
export async function createGames(
  { platform, signal }: StepContext,
  planned: readonly PlannedGame[],
  onCreated: (count: number) => void,
): Promise<readonly Game[]> {
  let created = 0;
  return mapConcurrent(planned, CONCURRENCY, async (plan) => {
    signal.throwIfAborted();
    const game = await prepareGame(platform, plan);
    onCreated((created += 1));
    return game;
  });
}

/**
 * Creates all games. At the same time a first worker takes the job of the game whose worker is to be killed, and is
 * killed. The other games are requested only afterwards: this worker would take their jobs too.
 */
export function prepareGames(context: StepContext, planned: readonly PlannedGame[]): Promise<readonly Game[]> {
  return runStep(context, 'preparing games', async (progress) => {
    const losesWorker = hasEvent('worker killed');
    const first = await createGames(context, planned.filter(losesWorker), () => undefined);
    const rest = planned.filter((plan) => !losesWorker(plan));
    const advance = (count: number): void => progress.update(first.length + count, planned.length);
    const creating = createGames(context, rest, advance);
    const outcomes = await Promise.allSettled([creating, ...first.map((game) => killWorkerOf(context, game))]);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const games = [...first, ...(await creating)];
    return { summary: `${games.length}, with ${context.platform.containers.created()} containers`, value: games };
  });
}

/** Kills a worker in the middle of its job, at a known place: while it waits for the game's locked record. */
async function killWorkerOf(context: StepContext, game: Game): Promise<void> {
  const { platform } = context;
  const lock = await platform.records.lock(game.gameId);
  try {
    for (const request of game.scenario.requests) await requestByQueue(platform, game, request);
    const worker = platform.programs.start('worker');
    try {
      const condition = { what: 'the worker that is to be killed', everyMs: POLL_MS, withinMs: READY_WITHIN_MS };
      await waitUntil(context, condition, () => {
        requireRunning(worker);
        return lock.hasWaiter();
      });
    } finally {
      await worker.kill();
    }
  } finally {
    await lock.release();
  }
}
