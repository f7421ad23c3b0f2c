/** What real containers are like when they are looked at, and when they are to be removed. */
// oxlint-disable vitest/no-standalone-expect -- `provokes` defines the test
import { afterAll, afterEach, beforeAll, expect, inject } from 'vitest';
import { pinFile, slowDownRemoval } from '../../support/engine/engine-files.js';
import { eventually } from '../../support/eventually.js';
import type { TestContainerState } from '../../support/engine/test-containers.js';
import { provokes } from './catalogue/provokes.js';
import type { Ended, Rig } from './rig.js';
import { type Game, openSite, type Site } from './site.js';

let site: Site;
let rig: Rig;
beforeAll(async () => {
  site = await openSite();
  rig = await site.rig();
  // What is timed by the engine must not wait for what is loaded at first use.
  await rig.run((await site.bareGame()).job());
});
afterAll(() => site.stop());
afterEach(() => site.containers.clear());

const containerOf = ({ containerId }: Game) => site.containers.docker.getContainer(containerId);

provokes('engine-container-gone', /^$/, async () => {
  const [game, witness] = [await site.bareGame(), await site.witness()];
  const ended = await rig.run(game.job());
  expect(await site.statusOf(game)).toBe('removed');
  expect(ended.concluded).toMatchObject([{ removal: 'already_gone', engine: 'default' }]);
  expect(await site.containers.stateOf(witness.containerId)).toBe('created');
  return ended;
});

provokes('engine-namesake', /^$/, async () => {
  const [game] = [await site.game(), await site.witness()];
  await containerOf(game).remove();
  const namesake = await site.containers.make('created', { name: game.containerId });
  const ended = await rig.run(game.job());
  expect(await site.containers.stateOf(namesake)).toBe('created');
  return ended;
});

provokes('engine-gone-at-removal', /^$/, async () => {
  const game = await site.game();
  return rig.run(game.job(), { looked: () => containerOf(game).remove() });
});

provokes('engine-label-of-another-game', /label names the game "galaxy-9", not this one/, async () => {
  const game = await site.game({ label: 'galaxy-9' });
  const ended = await rig.run(game.job());
  expect(await site.containers.stateOf(game.containerId)).toBe('created');
  return ended;
});

const refusedIn = (state: TestContainerState) => async (): Promise<Ended> => {
  const game = await site.game({ state });
  const ended = await rig.run(game.job());
  expect(await site.containers.stateOf(game.containerId)).toBe(state);
  expect(await site.statusOf(game)).toBe('stopped');
  return ended;
};
provokes('engine-container-running', /says that the container is running; stop the runtime/, refusedIn('running'));
provokes('engine-container-paused', /says that the container is paused; stop the runtime/, refusedIn('paused'));
provokes('engine-container-restarting', /the container is restarting; stop the runtime/, refusedIn('restarting'));

provokes('engine-started-before-removal', /says that the container is running; stop the runtime/, async () => {
  const game = await site.game({ program: '/sleep' });
  const ended = await rig.run(game.job(), { looked: () => containerOf(game).start() });
  expect(await site.containers.stateOf(game.containerId)).toBe('running');
  return ended;
});

/** Makes another client begin to remove the container, which takes a while; resolves when that has ended. */
const removingBySomebodyElse = async (game: Game): Promise<Promise<unknown>[]> => {
  const removal: Promise<unknown> = containerOf(game).remove();
  await eventually(async () => expect(await site.containers.stateOf(game.containerId)).toBe('removing'));
  // In an array, or it would be waited for right here.
  return [removal];
};
const slowGame = async (): Promise<Game> => {
  const game = await site.game();
  await slowDownRemoval(site.containers.docker, game.containerId);
  return game;
};

provokes('engine-removing-already', /the engine is already removing the container/, async () => {
  const game = await slowGame();
  const [removal] = await removingBySomebodyElse(game);
  const ended = await rig.run(game.job());
  await removal;
  return ended;
});

provokes('engine-409-removal-in-progress', /the engine is already removing the container/, async () => {
  const game = await slowGame();
  let removals: Promise<unknown>[] = [];
  const ended = await rig.run(game.job(), {
    looked: async () => {
      removals = await removingBySomebodyElse(game);
    },
  });
  await Promise.all(removals);
  expect(site.proxy.requests().at(-2)).toMatchObject({ method: 'DELETE', engineStatus: 409 });
  return ended;
});

provokes('engine-cannot-unlink', /did not remove the container: .*pinned: operation not permitted/, async () => {
  const game = await site.game({ state: 'exited' });
  const unpin = pinFile(inject('engineDataRoot'), game.containerId);
  try {
    const ended = await rig.run(game.job());
    expect(await site.containers.stateOf(game.containerId)).toBe('dead');
    return ended;
  } finally {
    unpin();
    expect(await rig.run(game.job())).toMatchObject({ code: '' });
  }
});
