/** The games of a run: created, recorded, requested, and in the end inspected. */
import type { PreparedContainer } from '../containers/containers.js';
import type { SeenJob } from '../platform/other-service.js';
import type { Platform } from '../platform/platform.js';
import { type Facts, operationOutcome, type RecordRow } from '../report/verdict.js';
import type { KnownGame, RequestPlan, Scenario } from '../scenarios/scenario.js';

/** A game that does not exist yet. */
export interface PlannedGame {
  readonly scenario: Scenario;
  readonly gameId: string;
}

export interface Game extends PlannedGame {
  readonly container: PreparedContainer | null;
  readonly recordBefore: RecordRow | null;
  /** The jobs that another service added for this game: their data may name no game. */
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

/** Creates what exists before the first request: the container, the record, and another service's lease. */
export async function prepareGame(platform: Platform, { scenario, gameId }: PlannedGame): Promise<Game> {
  const { containers, records, leases } = platform;
  const { container: plan, record, event } = scenario;
  const container = plan === null ? null : await containers.prepare(plan, gameId);
  if (record !== null) await records.write(gameId, record, container?.containerId ?? '');
  if (event === 'lease released' || event === 'lease held throughout') await leases.acquire(gameId);
  return { scenario, gameId, container, recordBefore: await records.read(gameId), jobIds: [] };
}

/** A request by the other service; does nothing for requests that come another way. */
export async function requestByQueue({ service }: Platform, game: Game, request: RequestPlan): Promise<void> {
  if (request.by !== 'bullmq') return;
  const known: KnownGame = { gameId: game.gameId, containerId: game.container?.containerId ?? '' };
  game.jobIds.push(await service.request(request.jobName, request.data(known)));
}

/**
 * The calls of the command line that request these games: one for each source, and one more for a game that is requested
 * a second time, so that the second request comes from another process.
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

/** The game is left for a sweep to find. */
export const isSwept = ({ requests }: Scenario): boolean => requests.some(({ by }) => by === 'sweep');

/** The platform writes the container's full id into the record. */
export async function repairRecord({ records }: Platform, game: Game): Promise<Game> {
  await records.setContainerId(game.gameId, game.container?.containerId ?? '');
  return { ...game, recordBefore: await records.read(game.gameId) };
}

/** Another service starts the game again. */
export async function startAgain({ containers, records }: Platform, game: Game): Promise<Game> {
  if (game.container !== null) await containers.start(game.container.containerId);
  await records.startAgain(game.gameId);
  return { ...game, recordBefore: await records.read(game.gameId) };
}

/** The facts of a game as they are now. `jobs` is everything in the queue. */
export async function inspectGame(platform: Platform, game: Game, jobs: readonly SeenJob[]): Promise<Facts> {
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
    operations: codes.map(operationOutcome),
    jobs: own.map(({ outcome }) => outcome),
  };
}
