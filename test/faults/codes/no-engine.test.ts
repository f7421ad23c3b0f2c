/** No engine at the configured address, a server that is not an engine, or an engine with states that are not known. */
// oxlint-disable vitest/no-standalone-expect -- `provokes` defines the test
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createNetServer, type Server as NetServer } from 'node:net';
import { afterAll, beforeAll, expect } from 'vitest';
import { freePort } from '../../../scripts/services/free-port.mjs';
import { provokes } from './catalogue/provokes.js';
import type { Ended, Rig } from './rig.js';
import { openSite, type Site } from './site.js';

let site: Site;
/** Answers in place of the engine. */
let answer: (response: ServerResponse) => void;
let server: Server;
let atServer: Rig;
beforeAll(async () => {
  site = await openSite();
  server = createServer((_request, response) => answer(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atServer = await site.rig({ dockerHost: addressOf(server) });
});
afterAll(async () => {
  await site.stop();
  server.closeAllConnections();
  server.close();
});

const addressOf = (listening: NetServer): string => `tcp://127.0.0.1:${(listening.address() as AddressInfo).port}`;

const at = async (dockerHost: string): Promise<Ended> => {
  const rig = await site.rig({ dockerHost });
  return rig.run((await site.bareGame()).job());
};

provokes('engine-away', /^cannot look at container e{64}: connect ENOENT/, () => at('unix:///no/such/engine.sock'));

provokes('engine-killed', /^cannot look at container e{64}: connect ECONNREFUSED/, async () =>
  at(`tcp://127.0.0.1:${await freePort()}`),
);

provokes('engine-no-http', /Parse Error/, async () => {
  const foreign = createNetServer((socket) => {
    socket.on('error', () => undefined);
    socket.end('SSH-2.0-OpenSSH_9.2\r\n');
  }).listen(0, '127.0.0.1');
  await once(foreign, 'listening');
  const ended = await at(addressOf(foreign));
  foreign.close();
  return ended;
});

const answeredWith = (status: number, body: string) => async (): Promise<Ended> => {
  answer = (response) => void response.writeHead(status).end(body);
  return atServer.run((await site.bareGame()).job());
};

provokes(
  'engine-foreign-404-on-look',
  /HTTP code 404/,
  answeredWith(404, '<h1>No such container</h1>'),
  'a web page of those words',
);
provokes(
  'engine-foreign-400-on-look',
  /HTTP request to an HTTPS server/,
  answeredWith(400, 'Client sent an HTTP request to an HTTPS server.\n'),
);
provokes(
  'engine-foreign-answer',
  /not the engine's: it has no Id/,
  answeredWith(200, '<h1>Welcome</h1>'),
  'a web page',
);
provokes(
  'engine-foreign-answer',
  /not the engine's: it describes another container/,
  answeredWith(
    200,
    JSON.stringify({ Id: 'b'.repeat(64), Name: '/other', Config: { Labels: {} }, State: { Status: 'exited' } }),
  ),
  'another container',
);

provokes('engine-unknown-state', /a container state that is not understood: hibernating/, async () => {
  const game = await site.game();
  const seen = await site.containers.docker.getContainer(game.containerId).inspect();
  const state = { ...seen.State, Status: 'hibernating' };
  answer = (response) => void response.end(JSON.stringify({ ...seen, State: state }));
  const ended = await atServer.run(game.job());
  expect(await site.containers.stateOf(game.containerId)).toBe('created');
  return ended;
});
