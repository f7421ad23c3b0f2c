import { describe, expect, it } from 'vitest';
import type { Platform } from '../../../../demo/platform/platform.js';
import { scenario } from '../../../../demo/scenarios/scenario-builders.js';
import { planGames } from '../../../../demo/steps/games.js';
import { createGames } from '../../../../demo/steps/prepare-games.js';
import type { StepContext } from '../../../../demo/steps/step.js';
import { createManualClock } from '../../../support/manual-clock.js';

const planned = planGames([scenario('unknown', [], { games: 10, container: null, record: null })]);
const stream = { write: () => true };
const output = { stdout: stream, stderr: stream, json: true };

/** `onRead` runs whenever a game is created: a game without container and record only reads its record. */
function contextWith(onRead: (count: number) => void, signal: AbortSignal = new AbortController().signal) {
  let reads = 0;
  const read = async (): Promise<null> => {
    onRead((reads += 1));
    return null;
  };
  const platform = { records: { read } } as unknown as Platform; // Only what the created games use.
  const context: StepContext = { platform, output, clock: createManualClock(), signal };
  return { context, reads: () => reads };
}

describe('creating games', () => {
  it('games are returned in their planned order, and counted', async () => {
    const counts: number[] = [];
    const { context } = contextWith(() => undefined);
    const games = await createGames(context, planned, (count) => counts.push(count));
    expect(games.map(({ gameId }) => gameId)).toEqual(planned.map(({ gameId }) => gameId));
    expect(counts).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('no further game is created after an abort', async () => {
    const stop = new AbortController();
    const reason = new Error('stopped');
    const { context, reads } = contextWith(() => stop.abort(reason), stop.signal);
    await expect(createGames(context, planned, () => undefined)).rejects.toBe(reason);
    expect(reads()).toBe(1);
  });

  it('no further game is created after a failure', async () => {
    const { context, reads } = contextWith(() => {
      throw new Error('no engine');
    });
    await expect(createGames(context, planned, () => undefined)).rejects.toThrow('no engine');
    expect(reads()).toBeLessThanOrEqual(4);
  });
});
