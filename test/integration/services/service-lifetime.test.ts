import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Docker from 'dockerode';
import { expect, test } from 'vitest';
import { askEngine, startPrivateEngine } from '../../../scripts/services/engine.mjs';
import { redisAnswers } from '../../../scripts/services/redis.mjs';
import { eventually } from '../../support/eventually.js';

const redisModule = fileURLToPath(new URL('../../../scripts/services/redis.mjs', import.meta.url));

/** A process of its own that starts a Redis server, says where, and waits. */
const OWNER = `
  const { startRedisServer } = await import(process.argv[1]);
  const { port, logFile } = await startRedisServer();
  console.log(JSON.stringify({ port, logFile }));
  setInterval(() => undefined, 1000);
`;

test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
  'a service and its folder are gone after its owner was ended by %s',
  async (signal) => {
    const owner = spawn(process.execPath, ['--input-type=module', '-e', OWNER, redisModule], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface(owner.stdout), 'line')) as [string];
    const { port, logFile } = JSON.parse(line) as { port: number; logFile: string };
    expect(await redisAnswers({ host: '127.0.0.1', port })).toBe(true);
    owner.kill(signal);
    await eventually(async () => expect(await redisAnswers({ host: '127.0.0.1', port })).toBe(false));
    await eventually(() => expect(existsSync(dirname(logFile))).toBe(false));
  },
);

test('a private engine keeps what it has over a kill, and leaves nothing behind when stopped', async () => {
  const engine = await startPrivateEngine();
  const where = { socketPath: engine.socketPath };
  await new Docker(where).createVolume({ Name: 'kept' });
  await engine.kill();
  expect(await askEngine(where, { path: '/_ping' })).toBeNull();
  await engine.restart();
  expect(await askEngine(where, { path: '/volumes/kept' })).toMatchObject({ status: 200 });
  await engine.stop();
  await engine.stop();
  expect(existsSync(dirname(engine.socketPath))).toBe(false);
});
