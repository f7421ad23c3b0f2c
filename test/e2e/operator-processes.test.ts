/** The service's processes beside each other, and their start and stop. */
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { createWorld, type World } from './operator-world.js';

const TOKEN = 'a-token-of-the-tests';
const STOPS_WITHIN_MS = 10_000;

let world: World;
afterEach(() => world.end());

it('SIGTERM ends a waiting request with an answer, and the process ends with 0', async () => {
  world = await createWorld('postgres');
  // There is no worker, so the job never ends.
  const { service, ask } = await world.listen('api');
  await world.stopped('game-1', 1);
  await eventually(async () => expect(await ask('GET', 'runtimes')).toMatchObject({ status: 200 }));
  const waiting = ask('DELETE', 'runtimes/game-1/container', { headers: { prefer: 'wait=60' } });
  await world.untilQueue(async () => {
    const { rowCount } = await world.db.query(`SELECT FROM bullmq.job WHERE name = 'cleanup_container'`);
    expect(rowCount).toBe(1);
  });
  const signalledMs = performance.now();
  service.signal('SIGTERM');
  // The job stays stored, so the answer states its state.
  expect(await waiting).toMatchObject({ status: 202, body: { state: 'waiting' } });
  expect(await service.exit).toBe(0);
  expect(performance.now() - signalledMs).toBeLessThan(STOPS_WITHIN_MS);
});

it('a second serve on the same address reports the address in one line, and fails', async () => {
  world = await createWorld('postgres');
  const { port, ask } = await world.listen('api');
  const second = world.run(['serve'], { RTMANAGER_INTERNAL_HTTP_ADDR: `127.0.0.1:${port}` });
  expect(await second.exit).toBe(1);
  const said = second
    .stderr()
    .split('\n')
    .filter((line) => line !== '');
  expect(said).toEqual([
    expect.stringMatching(new RegExp(`RTMANAGER_INTERNAL_HTTP_ADDR.*127\\.0\\.0\\.1:${port}.*EADDRINUSE`)),
  ]);
  expect(await ask('GET', '/healthz')).toMatchObject({ status: 200 });
});

it('serve refuses to listen on a public address without a token, and names the setting', async () => {
  world = await createWorld('postgres');
  const service = world.run(['serve'], { RTMANAGER_INTERNAL_HTTP_ADDR: '0.0.0.0:0' });
  expect(await service.exit).toBe(2);
  expect(service.stderr()).toMatch(/RTMANAGER_INTERNAL_HTTP_ADDR.*RTMANAGER_API_TOKENS/);
});

it('the output of the service contains no secret', async () => {
  world = await createWorld('postgres');
  const { service, ask } = await world.listen('api', { RTMANAGER_API_TOKENS: TOKEN, RTMANAGER_LOG_LEVEL: 'trace' });
  expect(await ask('GET', 'runtimes')).toMatchObject({ status: 401 });
  const headers = { authorization: `Bearer ${TOKEN}` };
  await eventually(async () => expect(await ask('GET', 'runtimes', { headers })).toMatchObject({ status: 200 }));
  service.signal('SIGTERM');
  expect(await service.exit).toBe(0);
  expect(service.stdout()).toContain('"listening"');
  expect(service.stdout() + service.stderr()).not.toContain(TOKEN);
});

describe.each(['postgres', 'redis'] as const)('processes on the %s queue', (store) => {
  it('a separate worker does the job that api has stored', async () => {
    world = await createWorld(store);
    const { service: api, ask } = await world.listen('api');
    const id = await world.containers.make('exited', { gameLabel: 'game-1' });
    await world.stopped('game-1', 1, id);
    const stored = await eventually(async () => {
      const answer = await ask('DELETE', 'runtimes/game-1/container', {
        headers: { 'x-galaxy-caller': 'gm', 'x-request-id': 'req-1' },
      });
      expect(answer.status).toBe(202);
      return answer;
    });
    const location = String(stored.headers['location']);
    expect(await ask('GET', location)).toMatchObject({ status: 200, body: { state: 'waiting', gameId: 'game-1' } });

    const worker = world.run(['worker']);
    await world.untilQueue(
      async () => {
        expect((await ask('GET', location)).body).toMatchObject({ state: 'completed', result: { outcome: 'success' } });
      },
      { withinMs: 40_000 },
    );
    expect(await world.containers.stateOf(id)).toBe('missing');
    expect((await ask('GET', 'runtimes/game-1/operations')).body).toMatchObject({
      items: [{ opSource: 'gm_rest', sourceRef: 'req-1', outcome: 'success', containerId: id }],
    });
    expect(api.lines().map(({ msg }) => msg)).not.toContain('cleanup succeeded');

    for (const service of [worker, api]) {
      service.signal('SIGTERM');
      expect(await service.exit).toBe(0);
    }
  });
});
