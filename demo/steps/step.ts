/** The first acts of the demonstration, each with its progress: games are made and asked for, and the service sees to them. */
import { askByQueue, commandLineCalls, type Game, type PlannedGame, prepareGame, startAgain } from './games.js';
import { createHttpClient, type HttpClient } from '../platform/http-client.js';
import { type DemoIo, type Progress, shownDuration, startProgress } from '../report/progress.js';
import type { Platform } from '../platform/platform.js';
import { listeningPort, type ServiceProcess } from '../platform/programs.js';
import type { Event } from '../scenarios/scenario.js';
import type { TidyUp } from '../platform/tidy-up.js';
import { DemoError, eachOf, holdsWithin, type Patience, untilTrue } from '../wait-until.js';

export interface Stage extends Patience {
  readonly platform: Platform;
  readonly io: DemoIo;
}

/** A stage on which the service runs. */
export interface ServedStage extends Stage {
  readonly service: ServiceProcess;
  readonly http: HttpClient;
}

interface Done<T> {
  /** How it ended, and lines to be shown below that. */
  readonly said: string;
  readonly more?: readonly string[];
  readonly value: T;
}

const AT_A_TIME = 4;
const READY_WITHIN_MS = 30_000;
const ALL_ENDED_WITHIN_MS = 90_000;
export const LOOK_EVERY_MS = 50;

export const plays = (event: Event) => (game: PlannedGame) => game.scenario.event === event;

/** Shows progress while `work` goes on; the line at its end says how long it took. */
export async function act<T>(
  { io, clock }: Pick<Stage, 'io' | 'clock'>,
  title: string,
  work: (progress: Progress) => Promise<Done<T>>,
): Promise<T> {
  const startedMs = clock.monotonicMs();
  const progress = startProgress(io, title);
  try {
    const { said, more, value } = await work(progress);
    progress.end(`${title}: ${said} (${shownDuration(clock.monotonicMs() - startedMs)})`, more);
    return value;
  } finally {
    progress.stop();
  }
}

/** Makes these games; `onMade` counts them. */
export async function makeGames(
  { platform, signal }: Stage,
  planned: readonly PlannedGame[],
  onMade: (count: number) => void,
): Promise<readonly Game[]> {
  const made = new Map<PlannedGame, Game>();
  await eachOf(planned, AT_A_TIME, signal, async (plan) => {
    made.set(plan, await prepareGame(platform, plan));
    onMade(made.size);
  });
  return planned.flatMap((plan) => made.get(plan) ?? []);
}

/**
 * Makes all games. Meanwhile a first worker takes the job of the one whose worker is to be killed, and is killed: the
 * others must not have asked yet, or they would share its fate.
 */
export function prepareGames(stage: Stage, planned: readonly PlannedGame[]): Promise<readonly Game[]> {
  return act(stage, 'preparing games', async (progress) => {
    const isDoomed = plays('worker killed');
    const doomed = await makeGames(stage, planned.filter(isDoomed), () => undefined);
    const rest = planned.filter((plan) => !isDoomed(plan));
    const advance = (count: number): void => progress.at(doomed.length + count, planned.length);
    const making = makeGames(stage, rest, advance);
    const outcomes = await Promise.allSettled([making, ...doomed.map((game) => killWorkerOf(stage, game))]);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const games = [...doomed, ...(await making)];
    return { said: `${games.length}, with ${stage.platform.containers.made()} containers`, value: games };
  });
}

/** A worker that waits for the game's record, in the middle of its job, is killed there. */
async function killWorkerOf(stage: Stage, game: Game): Promise<void> {
  const { platform } = stage;
  const lock = await platform.records.lock(game.gameId);
  try {
    for (const request of game.scenario.requests) await askByQueue(platform, game, request);
    const worker = platform.programs.start('worker');
    try {
      const condition = { what: 'the worker that is to be killed', everyMs: LOOK_EVERY_MS, withinMs: READY_WITHIN_MS };
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
    const { total } = await platform.service.counts();
    const said = `${total} jobs, by plain BullMQ and by ${calls.length} calls of our command line`;
    return { said, value: await startSomeAgain(platform, games) };
  });
}

export const startSomeAgain = (platform: Platform, games: readonly Game[]): Promise<readonly Game[]> =>
  Promise.all(games.map(async (game) => (plays('started again')(game) ? startAgain(platform, game) : game)));

/** Starts worker, retention and HTTP in one process; resolves when it listens. */
export function startService(stage: Stage, tidyUp: TidyUp): Promise<ServedStage> {
  const { platform, clock, signal } = stage;
  return act(stage, 'starting the service', async () => {
    const service = platform.programs.start('serve');
    tidyUp.add('service', service.kill);
    let port: number | undefined;
    const condition = { what: 'the start of the service', everyMs: LOOK_EVERY_MS, withinMs: READY_WITHIN_MS };
    await untilTrue(stage, condition, async () => {
      requireRunning(service);
      port = await listeningPort(platform.logFile);
      return port !== undefined;
    });
    const origin = `http://127.0.0.1:${port}`;
    const http = createHttpClient({ origin, token: platform.token, patience: { clock, signal } });
    return { said: `runtime-cleanup serve at ${origin}`, value: { ...stage, service, http } };
  });
}

/** Waits for every job to end; leases are given back as soon as the worker has been refused once. */
export function watchJobs(stage: ServedStage, games: readonly Game[]): Promise<void> {
  const { platform } = stage;
  return act(stage, 'jobs ended', async (progress) => {
    const held = new Set(games.filter(plays('lease given back')));
    const said = await untilAllEnded(stage, async ({ ended, total }) => {
      progress.at(ended, total);
      for (const game of held) {
        if ((await platform.records.operations(game.gameId, [])).length === 0) continue;
        await platform.leases.giveBack(game.gameId);
        held.delete(game);
      }
    });
    return { said, value: undefined };
  });
}

interface Counts {
  readonly ended: number;
  readonly total: number;
}

/** Resolves to how many jobs have ended, in words, when all have, or when it takes too long. */
export async function untilAllEnded(
  stage: ServedStage,
  onLook: (counts: Counts) => Promise<void> = async () => undefined,
): Promise<string> {
  let seen: Counts = { ended: 0, total: 0 };
  const allEnded = await holdsWithin(stage, { everyMs: LOOK_EVERY_MS, withinMs: ALL_ENDED_WITHIN_MS }, async () => {
    requireRunning(stage.service);
    seen = await stage.platform.service.counts();
    await onLook(seen);
    return seen.ended === seen.total;
  });
  return `${seen.ended} of ${seen.total}${allEnded ? '' : ', and the time is over'}`;
}

function requireRunning(service: ServiceProcess): void {
  if (!service.isRunning()) throw new DemoError('the service has ended by itself');
}
