/** The games of a run: made, recorded, asked for, and in the end looked at. */
import type { PreparedContainer } from '../containers/containers.js';
import type { SeenJob } from '../platform/other-service.js';
import type { Platform } from '../platform/platform.js';
import type { KnownGame, RequestPlan, Scenario } from '../scenarios/scenario.js';
import { type Facts, operationWord, type RecordRow } from '../report/verdict.js';

/** A game before anything has happened to it. */
export interface PlannedGame {
  readonly scenario: Scenario;
  readonly gameId: string;
}

export interface Game extends PlannedGame {
  readonly container: PreparedContainer | null;
  readonly recordBefore: RecordRow | null;
  /** Jobs that are known by id, for those whose data names no game. */
  readonly jobIds: string[];
}

/** Every game of every scenario, in their order. Ids are numbered where the scenario does not give them. */
export function planGames(scenarios: readonly Scenario[]): readonly PlannedGame[] {
  let number = 0;
  return scenarios.flatMap((scenario) => {
    const { games } = scenario;
    const ids = typeof games === 'number' ? Array.from({ length: games }, () => `demo-${(number += 1)}`) : games;
    return ids.map((gameId) => ({ scenario, gameId }));
  });
}

/** Makes what there is of a game before anybody asks: its container, its record, somebody else's lease. */
export async function prepareGame(platform: Platform, { scenario, gameId }: PlannedGame): Promise<Game> {
  const { containers, records, leases } = platform;
  const { container: plan, record, event } = scenario;
  const container = plan === null ? null : await containers.prepare(plan, gameId);
  if (record !== null) await records.write(gameId, record, container?.containerId ?? '');
  if (event === 'lease given back' || event === 'lease held throughout') await leases.hold(gameId);
  return { scenario, gameId, container, recordBefore: await records.read(gameId), jobIds: [] };
}

/** A request by the other service. */
export async function askByQueue({ service }: Platform, game: Game, request: RequestPlan): Promise<void> {
  if (request.by !== 'bullmq') return;
  const known: KnownGame = { gameId: game.gameId, containerId: game.container?.containerId ?? '' };
  game.jobIds.push(await service.ask(request.jobName, request.data(known)));
}

/**
 * The calls of our own command line that ask for these games: one for each source, and one more wherever a game is asked
 * for once more, so that the second request comes from another process.
 */
export function commandLineCalls(games: readonly Game[]): readonly (readonly string[])[] {
  const calls = new Map<string, string[]>();
  for (const { gameId, scenario } of games) {
    for (const [turn, request] of scenario.requests.entries()) {
      if (request.by !== 'cli') continue;
      const key = `${request.source} ${turn}`;
      const call = calls.get(key) ?? ['enqueue', '--source', request.source, '--ref', 'demo', '--'];
      call.push(gameId);
      calls.set(key, call);
    }
  }
  return [...calls.values()];
}

/** Nobody asks for it; it is there for a sweep to find. */
export const isSwept = ({ requests }: Scenario): boolean => requests.some(({ by }) => by === 'sweep');

/** The platform writes the container's full id into the record. */
export async function mend({ records }: Platform, game: Game): Promise<Game> {
  await records.mend(game.gameId, game.container?.containerId ?? '');
  return { ...game, recordBefore: await records.read(game.gameId) };
}

/** The other service that starts the game again. */
export async function startAgain({ containers, records }: Platform, game: Game): Promise<Game> {
  if (game.container !== null) await containers.start(game.container.containerId);
  await records.startAgain(game.gameId);
  return { ...game, recordBefore: await records.read(game.gameId) };
}

/** What is true of a game now. `jobs` is everything in the queue. */
export async function lookAt(platform: Platform, game: Game, jobs: readonly SeenJob[]): Promise<Facts> {
  const { containers, records } = platform;
  const { gameId, container, jobIds } = game;
  const own = jobs.filter((job) => jobIds.includes(job.id) || (job.gameId === gameId && gameId !== ''));
  const codes = await records.operations(
    gameId,
    own.map(({ id }) => id),
  );
  return {
    gameId,
    engine: container === null ? 'no container' : await containers.stateOf(container.observedId),
    volumesLeft: container === null ? 0 : await containers.volumesLeft(container.volumes),
    recordBefore: game.recordBefore,
    recordAfter: await records.read(gameId),
    operations: codes.map(operationWord),
    jobs: own.map(({ word }) => word),
  };
}
