/** Whether an engine that says "gone" is believed, and what happens while it is not. */
// oxlint-disable vitest/no-standalone-expect -- `provokes` defines the test
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { EngineIdentity } from '../../../src/engines/engine-ports.js';
import { provokes } from './catalogue/provokes.js';
import type { Rig } from './rig.js';
import { type Game, openSite, type Site } from './site.js';

const OTHER: EngineIdentity = { engineId: 'engine-2', rootDir: '/var/lib/docker', storageDriver: 'overlay2' };

let site: Site;
let rig: Rig;
beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site.stop());
beforeEach(async () => {
  rig = await site.rig();
  // The engine's identity is stored by its first use.
  await rig.run((await site.game()).job());
});
afterEach(async () => {
  await site.containers.clear();
  await site.pool.query('TRUNCATE engines, container_looks, runtime_records');
});

const expectKept = async (game: Game): Promise<void> => expect(await site.statusOf(game)).toBe('stopped');

const BOTH_NAMED =
  /^another engine answers at the address of the engine "default": id engine-2, .* instead of id engine-1, .*"runtime-cleanup engines accept default"$/;

provokes('engine-replaced', BOTH_NAMED, async () => {
  const game = await site.game();
  const replaced = await site.rig({ identity: OTHER });
  const ended = await replaced.run(game.job());
  expect(await site.containers.stateOf(game.containerId)).toBe('created');
  await expectKept(game);
  return ended;
});

provokes('engine-replaced-meanwhile', BOTH_NAMED, async () => {
  const [game] = [await site.bareGame(), await site.witness()];
  rig.answerAs(OTHER);
  const ended = await rig.run(game.job());
  await expectKept(game);
  return ended;
});

provokes(
  'engine-gone-unproven',
  /^the engine "default" says that the container is gone, and shows no other container of these records; .*accept default"$/,
  async () => {
    const game = await site.bareGame();
    // The container that was removed a moment ago was seen, which is evidence.
    await site.pool.query('DELETE FROM container_looks');
    const ended = await rig.run(game.job());
    await expectKept(game);
    return ended;
  },
);

provokes('engine-many-gone', /^the engine "default" says that 11 of the last 20 containers are gone; /, async () => {
  const [game] = [await site.bareGame(), await site.witness()];
  await site.pool.query(
    `INSERT INTO container_looks (engine, container_id, game_id, found, looked_at)
     SELECT 'default', 'gone-' || n, 'game-gone-' || n, 'gone', now() FROM generate_series(1, 10) AS n`,
  );
  const ended = await rig.run(game.job());
  await expectKept(game);
  return ended;
});

provokes(
  'engine-unknown-name',
  /^no engine is named "mars" here; give its address in RTMANAGER_DOCKER_HOSTS/,
  async () => {
    const game = await site.game();
    await site.pool.query(`UPDATE runtime_records SET docker_host = 'mars' WHERE game_id = $1`, [game.gameId]);
    const ended = await rig.run(game.job());
    expect(await site.containers.stateOf(game.containerId)).toBe('created');
    await expectKept(game);
    return ended;
  },
);
