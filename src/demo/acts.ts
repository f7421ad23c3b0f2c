/** The acts of the demonstration, each with its progress: what happens, and in which order. */
import { askByQueue, commandLineCalls, type Game, type PlannedGame, prepareGame, startAgain } from './games.js';
import { type DemoIo, type Progress, shownDuration, startProgress } from './io.js';
import type { Platform } from './platform.js';
import type { WorkerProcess } from './programs.js';
import type { Event } from './scenario.js';
import { DemoError, eachOf, holdsWithin, type Patience, untilTrue } from './waiting.js';

export interface Stage extends Patience {
  readonly platform: Platform;
  readonly io: DemoIo;
}

const AT_A_TIME = 4;
const KILL_WITHIN_MS = 30_000;
const ALL_ENDED_WITHIN_MS = 90_000;
const LOOK_EVERY_MS = 50;

const plays = (event: Event) => (game: PlannedGame) => game.scenario.event === event;

/** Shows progress while `work` goes on; the line at its end says how long it took. */
export async function act<T>(
  { io, clock }: Pick<Stage, 'io' | 'clock'>,
  title: string,
  work: (progress: Progress) => Promise<{ readonly said: string; readonly value: T }>,
): Promise<T> {
  const startedMs = clock.monotonicMs();
  const progress = startProgress(io, title);
  try {
    const { said, value } = await work(progress);
    progress.end(`${title}: ${said} (${shownDuration(clock.monotonicMs() - startedMs)})`);
    return value;
  } finally {
    progress.stop();
  }
}

/**
 * Makes all games. Meanwhile a first worker takes the job of the one whose worker is to be killed, and is killed: the
 * others must not have asked yet, or they would share its fate.
 */
export function prepareGames(stage: Stage, planned: readonly PlannedGame[]): Promise<readonly Game[]> {
  const { platform, signal } = stage;
  return act(stage, 'preparing games', async (progress) => {
    const prepared = new Map<PlannedGame, Game>();
    const prepare = async (plan: PlannedGame): Promise<void> => {
      prepared.set(plan, await prepareGame(platform, plan));
      progress.at(prepared.size, planned.length);
    };
    const doomed = planned.filter(plays('worker killed'));
    await eachOf(doomed, 1, signal, prepare);
    const killing = [...prepared.values()].map((game) => killWorkerOf(stage, game));
    const others = planned.filter((plan) => !prepared.has(plan));
    const outcomes = await Promise.allSettled([eachOf(others, AT_A_TIME, signal, prepare), ...killing]);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const games = planned.flatMap((plan) => prepared.get(plan) ?? []);
    return { said: `${games.length}, with ${platform.containers.made()} containers`, value: games };
  });
}

/** A worker that waits for the game's record, in the middle of its job, is killed there. */
async function killWorkerOf(stage: Stage, game: Game): Promise<void> {
  const { platform } = stage;
  const lock = await platform.records.lock(game.gameId);
  try {
    for (const request of game.scenario.requests) await askByQueue(platform, game, request);
    const worker = platform.programs.startWorker();
    try {
      const condition = { what: 'the worker that is to be killed', everyMs: LOOK_EVERY_MS, withinMs: KILL_WITHIN_MS };
      await untilTrue(stage, condition, () => {
        requireRunning(worker);
        return lock.isWaitedFor();
      });
    } finally {
      await worker.kill();
    }
  } finally {
    await lock.letGo();
  }
}

/** Everybody asks at the same time; then another service starts some of the games again. */
export function askForAll(stage: Stage, games: readonly Game[]): Promise<readonly Game[]> {
  const { platform, signal } = stage;
  return act(stage, 'asking for their cleanup', async (progress) => {
    const asking = games.filter((game) => !plays('worker killed')(game));
    const calls = commandLineCalls(asking);
    let done = 0;
    const advance = (): void => progress.at((done += 1), asking.length + calls.length);
    await Promise.all([
      eachOf(asking, AT_A_TIME, signal, async (game) => {
        for (const request of game.scenario.requests) await askByQueue(platform, game, request);
        advance();
      }),
      eachOf(calls, 2, signal, (call) => platform.programs.run(call).then(advance)),
    ]);
    const started = await Promise.all(
      games.map(async (game) => (plays('started again')(game) ? startAgain(platform, game) : game)),
    );
    const { total } = await platform.service.counts();
    return { said: `${total} jobs, by plain BullMQ and by ${calls.length} calls of our command line`, value: started };
  });
}

/** Waits for every job to end; leases are given back as soon as the worker has been refused once. */
export function watchJobs(stage: Stage, worker: WorkerProcess, games: readonly Game[]): Promise<number> {
  const { platform } = stage;
  return act(stage, 'jobs ended', async (progress) => {
    const held = new Set(games.filter(plays('lease given back')));
    let seen = { ended: 0, total: 0 };
    const allEnded = await holdsWithin(stage, { everyMs: LOOK_EVERY_MS, withinMs: ALL_ENDED_WITHIN_MS }, async () => {
      requireRunning(worker);
      for (const game of held) {
        if ((await platform.records.operations(game.gameId, [])).length === 0) continue;
        await platform.leases.giveBack(game.gameId);
        held.delete(game);
      }
      seen = await platform.service.counts();
      progress.at(seen.ended, seen.total);
      return seen.ended === seen.total;
    });
    const said = `${seen.ended} of ${seen.total}${allEnded ? '' : ', and the time is over'}`;
    return { said, value: seen.total };
  });
}

function requireRunning(worker: WorkerProcess): void {
  if (!worker.isRunning()) throw new DemoError('the worker has ended by itself');
}
