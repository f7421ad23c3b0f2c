/** Games that are cleaned while something is done to the platform, and what came of each. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { eventually } from '../support/eventually.js';
import type { Platform } from './platform.js';
import type { Ending } from './report.js';

const QUEUE = '{rtmanager}:runtime-cleanup';
const BETWEEN_REQUESTS_MS = 40;

const redis = async (platform: Platform, ...args: readonly string[]): Promise<number> =>
  Number((await platform.compose(['exec', '-T', 'redis', 'redis-cli', ...args])).stdout);

export const activeJobs = (platform: Platform): Promise<number> => redis(platform, 'LLEN', `${QUEUE}:active`);

/** Asks for one cleanup until that was accepted: a server that is being replaced accepts nothing. */
async function askUntilAccepted({ door }: Platform, gameId: string): Promise<void> {
  await eventually(
    async () => {
      const { status } = await door.ask('DELETE', `/api/v1/internal/runtimes/${gameId}/container`);
      expect(status).toBe(202);
    },
    { withinMs: 120_000 },
  );
}

/**
 * Asks for the games' cleanups one after the other while `fault` goes on, and for the rest when it is over; then waits until every
 * job has ended.
 */
export async function whileCleaning(
  platform: Platform,
  games: readonly string[],
  { fault, name }: { readonly name: string; readonly fault: () => Promise<unknown> },
): Promise<Ending> {
  const before = await redis(platform, 'ZCARD', `${QUEUE}:failed`);
  const asking = (async () => {
    for (const gameId of games) {
      await askUntilAccepted(platform, gameId);
      await pause(BETWEEN_REQUESTS_MS);
    }
  })();
  await Promise.all([asking, fault()]);
  const startedMs = performance.now();
  await eventually(() => expectAllEnded(platform), { withinMs: 150_000 });
  const allEndedMs = performance.now() - startedMs;
  const among = `game_id IN (${games.map((gameId) => `'${gameId}'`).join(', ')})`;
  const counted = await platform.sql(`
    SELECT (SELECT count(*) FROM runtime_records WHERE status = 'removed' AND ${among}),
           (SELECT count(*) FROM operation_log WHERE outcome = 'success' AND error_code = '' AND ${among});
  `);
  const [removed = Number.NaN, successRows = Number.NaN] = counted.split('|').map(Number);
  const deadLetters = (await redis(platform, 'ZCARD', `${QUEUE}:failed`)) - before;
  return { fault: name, games: games.length, removed, successRows, deadLetters, allEndedMs };
}

async function expectAllEnded(platform: Platform): Promise<void> {
  const left = await Promise.all([
    redis(platform, 'LLEN', `${QUEUE}:wait`),
    redis(platform, 'ZCARD', `${QUEUE}:prioritized`),
    redis(platform, 'ZCARD', `${QUEUE}:delayed`),
    activeJobs(platform),
  ]);
  expect(left).toEqual([0, 0, 0, 0]);
}

/** Every game's container is gone from the engine, once. */
export async function expectEachCleanedOnce(platform: Platform, ending: Ending): Promise<void> {
  const { games } = ending;
  expect(ending).toMatchObject({ removed: games, successRows: games, deadLetters: 0 });
  // Containers of another platform's games may stand in the same engine.
  const left = await Promise.all(platform.containers.made().map((id) => platform.containers.stateOf(id)));
  expect(left.filter((state) => state !== 'missing')).toEqual([]);
}
