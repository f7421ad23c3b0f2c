import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SetUpError } from '../set-up-error.mjs';
import { which } from '../which.mjs';
import { startService } from './child.mjs';
import { freePort } from './free-port.mjs';

const REDIS_INSTALL_COMMAND = 'sudo apt-get install -y --no-install-recommends redis-server';

/**
 * Whether a Redis server answers there. A server that requires a password counts too.
 * @param {{ host: string, port: number, timeoutMs?: number }} where
 * @returns {Promise<boolean>}
 */
export const redisAnswers = ({ host, port, timeoutMs = 2000 }) =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (reply) => finish(/^(\+PONG|-NOAUTH|-LOADING)/.test(reply.toString('latin1'))));
  });

/**
 * Starts a redis-server on 127.0.0.1. It writes to disk only when it is given a data folder. See redis.d.mts for the types.
 * Throws SetUpError when the machine has no redis-server or it does not start.
 */
export const startRedisServer = async ({ maxmemoryPolicy = 'noeviction', port, dataFolder, settings = {} } = {}) => {
  const command = which('redis-server');
  if (command === null) throw new SetUpError('redis-server is not installed', { remedy: REDIS_INSTALL_COMMAND });
  const listenPort = port ?? (await freePort());
  const folder = mkdtempSync(join(tmpdir(), 'runtime-cleanup-redis-'));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  const kept = dataFolder === undefined ? { appendonly: 'no' } : { appendonly: 'yes', appendfsync: 'always' };
  const own = { port: listenPort, bind: '127.0.0.1', dir: dataFolder ?? folder, save: '', ...kept };
  const args = Object.entries({ ...own, 'maxmemory-policy': maxmemoryPolicy, ...settings }).flatMap(([name, value]) =>
    [`--${name}`].concat(String(value).split(' ')),
  );
  try {
    const service = await startService({
      name: 'redis-server',
      command,
      args,
      folder,
      isReady: () => redisAnswers({ host: '127.0.0.1', port: listenPort }),
      stopSignal: 'SIGKILL',
    });
    void service.ended.then(removeFolder);
    return { ...service, url: `redis://127.0.0.1:${listenPort}`, port: listenPort };
  } catch (error) {
    removeFolder();
    throw error;
  }
};
