/** The states in which the engine may have a container when it is inspected and when it is removed. */
// oxlint-disable vitest/no-standalone-expect -- `provokes` defines the test
import { beforeAll, expect, inject } from 'vitest';
import { holdRemoval, pinFile } from '../../support/engine/engine-files.js';
import { eventually } from '../../support/eventually.js';
import type { TestContainerState } from '../../support/engine/test-containers.js';
import { provokes } from './catalogue/provokes.js';
import type { Ended, Rig } from './rig.js';
import { type Game, type Site, useSite } from './site.js';

let site: Site;
let rig: Rig;
useSite((...opened) => ([site, rig] = opened));
// The first cleanup loads modules; later tests must not wait for that while a state of the engine lasts.
beforeAll(async () => void (await rig.run((await site.bareGame()).job())));

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

/** Another client removes the container, and the engine is at it for as long as `work` runs. */
const whileRemoved = async (game: Game, work: (begin: () => Promise<void>) => Promise<Ended>): Promise<Ended> => {
  const letGo = await holdRemoval(site.containers.docker, game.containerId);
  let removal: Promise<unknown> | undefined;
  try {
    return await work(async () => {
      removal = containerOf(game).remove();
      // Only the engine knows when it has begun, and it announces nothing.
      await eventually(async () => expect(await site.containers.stateOf(game.containerId)).toBe('removing'));
    });
  } finally {
    await Promise.all([letGo(), removal]);
  }
};

provokes('engine-removing-already', /the engine is already removing the container/, async () => {
  const game = await site.game();
  return whileRemoved(game, async (begin) => {
    await begin();
    return rig.run(game.job());
  });
});

provokes('engine-409-removal-in-progress', /the engine is already removing the container/, async () => {
  const game = await site.game();
  const ended = await whileRemoved(game, (begin) => rig.run(game.job(), { looked: begin }));
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
