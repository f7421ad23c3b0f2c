/** Faults on the connection to the engine when the container is removed. */
// oxlint-disable vitest/no-standalone-expect -- `provokes` defines the test
import { expect } from 'vitest';
import type { EngineFault } from '../../support/engine/engine-fault-proxy.js';
import { provokes } from './catalogue/provokes.js';
import type { Ended, Rig } from './rig.js';
import { type Game, onEach, type Site, useSite } from './site.js';

let site: Site;
let rig: Rig;
useSite((...opened) => ([site, rig] = opened));

const methods = (): readonly string[] => site.proxy.requests().map(({ method }) => method);
const expectStillThere = async (game: Game): Promise<void> => {
  expect(await site.containers.stateOf(game.containerId)).toBe('created');
  expect(await site.statusOf(game)).toBe('stopped');
};
const expectRemoved = async (game: Game): Promise<void> => {
  expect(await site.containers.stateOf(game.containerId)).toBe('missing');
  expect(await site.statusOf(game)).toBe('removed');
};

type Check = (game: Game) => Promise<void>;

/** A container that is found gone is looked for once more, before that is believed. */
const methodsOf = (check: Check): readonly string[] =>
  check === expectRemoved ? ['GET', 'DELETE', 'GET', 'GET'] : ['GET', 'DELETE', 'GET'];

/** The removal meets the fault, and a second inspection of the container follows. */
const answeredWith = (fault: EngineFault, check: Check) => async (): Promise<Ended> => {
  const game = await site.game();
  site.proxy.use(onEach('DELETE', fault));
  const ended = await rig.run(game.job());
  expect(methods()).toEqual(methodsOf(check));
  await check(game);
  return ended;
};

const hangingIn = (fault: EngineFault, engineStatus: number | null, check: Check) => async (): Promise<Ended> => {
  const game = await site.game();
  site.proxy.use(onEach('DELETE', fault));
  const running = rig.run(game.job());
  await site.proxy.until(() => expect(site.proxy.requests()[1]).toMatchObject({ method: 'DELETE', engineStatus }));
  await rig.passEngineDeadline();
  const ended = await running;
  expect(methods()).toEqual(methodsOf(check));
  await check(game);
  return ended;
};

const MAY_STILL =
  /^the removal of container [0-9a-f]{64} may still be carried out: .+; a second look found it still there$/;

provokes('engine-removal-answer-lost', /^$/, answeredWith({ kind: 'lost-answer' }, expectRemoved));
provokes('engine-removal-answer-cut', /^$/, hangingIn({ kind: 'truncated-body' }, 204, expectRemoved));
provokes('engine-hangs-after-removal', /^$/, hangingIn({ kind: 'hang-after' }, 204, expectRemoved));
provokes('engine-removal-reset', MAY_STILL, answeredWith({ kind: 'reset' }, expectStillThere));
provokes('engine-hangs-on-removal', MAY_STILL, hangingIn({ kind: 'hang' }, null, expectStillThere));

const refusal = (status: number, message: string): EngineFault => ({ kind: 'status', status, message });

for (const status of [502, 504]) {
  const provoke = answeredWith(refusal(status, 'upstream'), expectStillThere);
  provokes('engine-gateway-on-removal', MAY_STILL, provoke, String(status));
}
for (const status of [200, 202]) {
  const provoke = answeredWith(refusal(status, 'accepted'), expectStillThere);
  provokes('engine-removal-accepted', MAY_STILL, provoke, String(status));
}
provokes(
  'engine-409-on-removal',
  /^the engine did not remove the container: removal of container x is already in progress \(HTTP 409\)$/,
  answeredWith(refusal(409, 'removal of container x is already in progress'), expectStillThere),
);
provokes(
  'engine-500-on-removal',
  /^the engine did not remove the container: driver failed \(HTTP 500\)$/,
  answeredWith(refusal(500, 'driver failed'), expectStillThere),
);

provokes('engine-409-and-gone', /^$/, async () => {
  const game = await site.game();
  site.proxy.use(onEach('DELETE', refusal(409, 'removal of container x is already in progress')));
  const ended = await rig.run(game.job(), {
    looked: () => site.containers.docker.getContainer(game.containerId).remove(),
  });
  expect(methods()).toEqual(['GET', 'DELETE', 'GET', 'GET']);
  await expectRemoved(game);
  return ended;
});

/** The engine refuses the removal, for now or for good, and no other request follows. */
const endedBy = (status: number, message: string) => async (): Promise<Ended> => {
  const game = await site.game();
  site.proxy.use(onEach('DELETE', refusal(status, message)));
  const ended = await rig.run(game.job());
  expect(methods()).toEqual(['GET', 'DELETE']);
  await expectStillThere(game);
  return ended;
};

for (const status of [301, 401, 403, 404, 408, 418, 429, 503]) {
  const message = new RegExp(`^cannot remove container [0-9a-f]{64}: not now \\(HTTP ${status}\\)$`);
  provokes('engine-removal-not-now', message, endedBy(status, 'not now'), String(status));
}
provokes('engine-400-on-removal', /: bad parameter \(HTTP 400\)$/, endedBy(400, 'bad parameter'));

provokes(
  'engine-removal-and-look-lost',
  /may still be carried out: (socket hang up|read ECONNRESET); then: cannot look at container/,
  async () => {
    const game = await site.game();
    site.proxy.use(({ method, nth }) => (method === 'DELETE' || nth === 2 ? { kind: 'reset' } : undefined));
    const ended = await rig.run(game.job());
    expect(methods()).toEqual(['GET', 'DELETE', 'GET']);
    await expectStillThere(game);
    return ended;
  },
);
