import { setTimeout as sleep } from 'node:timers/promises';
import type { Asked } from '../../laboratory/checks.js';
import { createLifecycle } from '../../laboratory/lifecycle.js';
import type { Site } from '../../laboratory/site.js';

export interface Game {
  readonly gameId: string;
  readonly containerId: string;
}

const MAKERS = 4;

/** Stopped games with a container each. */
export async function makeGames(site: Site, count: number): Promise<readonly Game[]> {
  const lifecycle = createLifecycle(site);
  const left = Array.from({ length: count }, (_, index) => `game-${index}`);
  const games: Game[] = [];
  const make = async (): Promise<void> => {
    for (let gameId = left.shift(); gameId !== undefined; gameId = left.shift()) {
      games.push({ gameId, containerId: await lifecycle.create(gameId) });
    }
  };
  await Promise.all(Array.from({ length: MAKERS }, make));
  return games;
}

interface Load {
  /** What the queue has accepted so far. */
  readonly accepted: () => readonly Asked[];
  /** Resolves when all games have been asked for and accepted. */
  readonly done: Promise<void>;
}

const ASK_AGAIN_MS = 500;

/** Asks for one game after the other, evenly over the time; a request that the queue refuses is made again. */
export function startLoad(site: Site, games: readonly Game[], overMs: number): Load {
  const accepted: Asked[] = [];
  const ask = async ({ gameId, containerId }: Game, afterMs: number): Promise<void> => {
    await sleep(afterMs);
    for (;;) {
      try {
        accepted.push({ gameId, containerId, jobId: await site.jobs.ask({ gameId }) });
        return;
      } catch {
        // The store is unavailable. No job was confirmed, so the client has to ask again.
        await sleep(ASK_AGAIN_MS);
      }
    }
  };
  const asked = games.map((game, index) => ask(game, (index * overMs) / games.length));
  return { accepted: () => accepted, done: Promise.all(asked).then(() => undefined) };
}
