/** Faults on the connection to the engine when the container is inspected: none leads to a removal. */
// oxlint-disable vitest/no-standalone-expect -- `provokes` defines the test
import { expect } from 'vitest';
import type { EngineFault } from '../../support/engine/engine-fault-proxy.js';
import { provokes } from './catalogue/provokes.js';
import type { Ended, Rig } from './rig.js';
import { type Game, onEach, type Site, useSite } from './site.js';

let site: Site;
let rig: Rig;
useSite((...opened) => ([site, rig] = opened));

/** One inspection was sent, and no removal was sent or done. */
const expectOneLook = async (game: Game): Promise<void> => {
  expect(site.proxy.requests().map(({ method }) => method)).toEqual(['GET']);
  expect(await site.containers.stateOf(game.containerId)).toBe('created');
  expect(await site.statusOf(game)).toBe('stopped');
};

const answeredWith = (fault: EngineFault) => async (): Promise<Ended> => {
  const game = await site.game();
  site.proxy.use(onEach('GET', fault));
  const ended = await rig.run(game.job());
  await expectOneLook(game);
  return ended;
};

/** The call hangs until its deadline; `engineStatus` is the engine's answer by then. */
const hangingIn = (fault: EngineFault, engineStatus: number | null) => async (): Promise<Ended> => {
  const game = await site.game();
  site.proxy.use(onEach('GET', fault));
  const running = rig.run(game.job());
  await site.proxy.until(() => expect(site.proxy.requests()).toMatchObject([{ method: 'GET', engineStatus }]));
  await rig.passEngineDeadline();
  const ended = await running;
  await expectOneLook(game);
  return ended;
};

const LATE = /^cannot look at container [0-9a-f]{64}: no answer within 5000 ms$/;

provokes('engine-hangs-on-look', LATE, hangingIn({ kind: 'hang' }, null), 'before it does anything');
provokes('engine-hangs-on-look', LATE, hangingIn({ kind: 'hang-after' }, 200), 'after it looked');
provokes('engine-look-too-slow', LATE, hangingIn({ kind: 'slow-body', ms: 50, bytes: 1 }, 200));
provokes('engine-look-cut', LATE, hangingIn({ kind: 'truncated-body' }, 200));

provokes('engine-look-reset', /cannot look .*: (socket hang up|read ECONNRESET)/, answeredWith({ kind: 'reset' }));

for (const status of [301, 401, 403, 407, 408, 409, 418, 429, 500, 501, 502, 503, 504]) {
  provokes(
    'engine-look-refused',
    new RegExp(`^cannot look at container [0-9a-f]{64}: the engine's words \\(HTTP ${status}\\)$`),
    answeredWith({ kind: 'status', status, message: "the engine's words" }),
    String(status),
  );
}

provokes(
  'engine-foreign-404-on-look',
  /page not found \(HTTP 404\)/,
  answeredWith({ kind: 'status', status: 404, message: 'page not found' }),
);

provokes(
  'engine-400-on-look',
  /client version 1\.99 is too new \(HTTP 400\)/,
  answeredWith({ kind: 'status', status: 400, message: 'client version 1.99 is too new' }),
);
