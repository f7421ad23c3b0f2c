/** With the engine's socket behind the proxy: a cleanup works, and nothing else does. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createPlatform, type Platform } from './platform.js';

let platform: Platform;
beforeAll(async () => {
  platform = await createPlatform({ engineProxy: true });
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

it('the engine proxy passes on an inspection, a version and an unforced removal', async () => {
  const id = await platform.containers.make('running');
  expect(await fromWorker('GET', '/version')).toBe(200);
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
  ['GET', '/containers/json'],
  ['GET', '/info'],
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
