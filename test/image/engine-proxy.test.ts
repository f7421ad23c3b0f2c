/** With the engine's socket behind the proxy: a cleanup works, and nothing else does. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createPlatform, type Platform } from './platform.js';

let platform: Platform;
beforeAll(async () => {
  platform = await createPlatform({ add: 'engine-proxy' });
  await platform.compose(['up', '--detach', '--wait']);
});
afterAll(() => platform.end());

/** What the engine answers to a call out of the worker's container. */
async function fromWorker(method: string, path: string): Promise<number> {
  const call = `
    const [method, path] = process.argv.slice(1);
    require('http').request({ host: 'engine', port: 2375, method, path }, (answer) => {
      console.log(answer.statusCode);
      process.exit();
    }).end();
  `;
  return Number((await platform.compose(['exec', '-T', 'worker', 'node', '-e', call, method, path])).stdout);
}

it('the platform cleans a container through the engine proxy', async () => {
  const [gameId = ''] = await platform.stoppedGames('proxied', 1);
  const answer = await platform.door.ask('DELETE', `/api/v1/internal/runtimes/${gameId}/container`, {
    prefer: 'wait=30',
  });
  expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('"status":"removed"') });
  expect(await platform.docker(['ps', '--all', '--quiet', '--filter', `label=com.galaxy.game_id=${gameId}`])).toBe('');
});

it('the worker has no socket of the engine', async () => {
  const look = `console.log(require('fs').statSync('/var/run/docker.sock').isSocket())`;
  expect((await platform.compose(['exec', '-T', 'worker', 'node', '-e', look])).stdout).toBe('false\n');
});

const BY_LABEL = `filters=${encodeURIComponent('{"label":["com.galaxy.owner=rtmanager"]}')}`;

it.each([
  '/version',
  '/v1.41/version',
  '/info',
  '/v1.41/info',
  `/containers/json?all=true&${BY_LABEL}`,
  `/v1.41/containers/json?${BY_LABEL}&all=1`,
  `/containers/json?${BY_LABEL}`,
  '/containers/json?all=true',
])('the engine proxy passes on a read of %s', async (path) => {
  expect(await fromWorker('GET', path)).toBe(200);
});

it('the engine proxy passes on an inspection and an unforced removal', async () => {
  const id = await platform.containers.make('running');
  expect(await fromWorker('GET', `/containers/${id}/json`)).toBe(200);
  expect(await fromWorker('GET', `/v1.41/containers/${id}/json`)).toBe(200);
  expect(await fromWorker('DELETE', `/containers/${id}?v=true`), 'it runs').toBe(409);
  expect(await platform.containers.stateOf(id)).toBe('running');
});

const ID = 'f'.repeat(64);

it.each([
  ['POST', '/containers/create'],
  ['POST', `/containers/${ID}/start`],
  ['POST', `/containers/${ID}/kill`],
  ['POST', '/build'],
  ['POST', '/info'],
  ['HEAD', '/info'],
  ['GET', '/info/x'],
  ['GET', '/system/df'],
  ['GET', '/events'],
  ['GET', '/containers/json'],
  ['POST', `/containers/json?${BY_LABEL}`],
  ['HEAD', `/containers/json?${BY_LABEL}`],
  ['GET', '/containers/json?size=1'],
  ['GET', '/containers/json?all=true&size=1'],
  ['GET', `/containers/json?${BY_LABEL}&size=1`],
  ['GET', `/containers/json?${BY_LABEL};size=1`],
  ['GET', `/containers/json?all=true;size=1`],
  ['GET', '/containers/json?limit=1'],
  ['GET', `/containers/json?${BY_LABEL}&`],
  ['GET', '/containers/json?%73ize=1'],
  ['GET', '/images/json'],
  ['GET', `/containers/${ID}/archive?path=/etc/passwd`],
  ['GET', '/containers/a-name/json'],
  ['HEAD', `/containers/${ID}/json`],
  ['DELETE', `/containers/${ID}?force=1`],
  ['DELETE', `/containers/${ID}?v=1&force=1`],
  ['DELETE', `/containers/${ID}?force=true&v=1`],
  ['DELETE', `/containers/${ID}?link=1`],
  ['DELETE', '/containers/a-name'],
  ['DELETE', `/images/${ID}`],
  ['DELETE', `/volumes/x`],
])('the engine proxy refuses %s %s', async (method, path) => {
  expect(await fromWorker(method, path)).toBe(403);
});
