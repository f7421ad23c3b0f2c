import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asRoot, SetUpError } from '../set-up-error.mjs';
import { which } from '../which.mjs';
import { startService } from './child.mjs';
import { removeEngineFolder } from './engine-folder.mjs';

const ENGINE_INSTALL_COMMAND = 'sudo apt-get install -y --no-install-recommends docker.io iproute2 util-linux';

const MACHINE_SETTINGS = '/etc/docker';
const MACHINE_CONTAINERD = '/run/containerd';
const PID_FILE = 'engine.pid';

/**
 * Makes one call to an engine. Resolves to the status code and the body's text, or to null without an answer in time.
 * @param {import('node:http').RequestOptions} where
 * @param {{ method?: string, path: string, timeoutMs?: number }} call
 * @returns {Promise<{ status: number, text: string } | null>}
 */
export const askEngine = (where, { method = 'GET', path, timeoutMs = 3000 }) =>
  new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const asked = request({ ...where, method, path, agent: false, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => (text += part));
      response.once('close', () => resolve(response.complete ? { status: response.statusCode, text } : null));
      // 'close' follows every error and settles the call.
      response.on('error', () => undefined);
    });
    asked.once('error', () => resolve(null));
    asked.end();
  });

/**
 * The engine's version text, or null when no engine answers.
 * @param {import('node:http').RequestOptions} where
 * @returns {Promise<string | null>}
 */
export const engineVersion = async (where) => {
  const answer = await askEngine(where, { path: '/version' });
  if (answer?.status !== 200) return null;
  try {
    const { Version: version } = JSON.parse(answer.text);
    return typeof version === 'string' ? version : null;
  } catch {
    return null;
  }
};

/** Removes running containers by force: a stopping engine would wait ten seconds for each of them. */
const removeRunningContainers = async (socketPath) => {
  const answer = await askEngine({ socketPath }, { path: '/containers/json' });
  if (answer?.status !== 200) return;
  const removals = JSON.parse(answer.text).map(({ Id: id }) =>
    askEngine({ socketPath }, { method: 'DELETE', path: `/containers/${id}?force=1`, timeoutMs: 10_000 }),
  );
  await Promise.all(removals);
};

/**
 * The engine gets its own network namespace, because a second engine in the machine's namespace changes or deletes the
 * first one's bridge, and its own mount namespace, so that its mounts end with it. The files of the machine's engine are
 * hidden from it: the settings and the key, in whose place it keeps its own (an engine's ID is made from the key), and the
 * socket of containerd, which it would use instead of starting its own.
 */
const commandLine = ({ folder, socketPath, dataRoot, configFile, storageDriver }) => {
  const settings = {
    'config-file': configFile,
    'data-root': dataRoot,
    'exec-root': join(folder, 'exec'),
    pidfile: join(folder, PID_FILE),
    host: `unix://${socketPath}`,
    'log-level': 'warn',
    ...(storageDriver === undefined ? {} : { 'storage-driver': storageDriver }),
  };
  const prepare = [
    'if command -v ip >/dev/null; then ip link set lo up; fi',
    `mkdir -p ${MACHINE_SETTINGS} "${join(folder, 'settings')}" && mount --bind "${join(folder, 'settings')}" ${MACHINE_SETTINGS}`,
    `if [ -e ${MACHINE_CONTAINERD}/containerd.sock ]; then mount -t tmpfs tmpfs ${MACHINE_CONTAINERD}; fi`,
    'exec dockerd "$@"',
  ];
  const flags = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
  return ['--net', '--mount', '--', 'sh', '-c', prepare.join('\n'), 'sh', ...flags];
};

const requirements = () => {
  if (process.platform !== 'linux') throw new SetUpError('a private Docker engine can be started on Linux only');
  if (process.getuid() !== 0) {
    throw new SetUpError('the tests start a private Docker engine, which needs root', {
      remedy: asRoot('npm test'),
    });
  }
  const missing = ['dockerd', 'unshare'].filter((program) => which(program) === null);
  if (missing.length > 0) {
    throw new SetUpError(`a private Docker engine needs ${missing.join(' and ')}, which this machine does not have`, {
      remedy: ENGINE_INSTALL_COMMAND,
    });
  }
};

const startDaemon = ({ folder, socketPath, dataRoot, configFile, storageDriver }) => {
  // A killed engine leaves these files behind, and a new one refuses to start while they exist.
  for (const stale of [join(folder, PID_FILE), join(folder, 'exec', 'containerd', 'containerd.pid')]) {
    rmSync(stale, { force: true });
  }
  return startService({
    name: 'dockerd',
    command: which('unshare'),
    args: commandLine({ folder, socketPath, dataRoot, configFile, storageDriver }),
    folder,
    isReady: async () => existsSync(socketPath) && (await engineVersion({ socketPath })) !== null,
    readyWithinMs: 60_000,
    environment: {
      ...process.env,
      PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`,
      // A killed engine leaves reports in TMPDIR.
      TMPDIR: folder,
    },
  });
};

/**
 * Starts a Docker engine that shares nothing with another one on this machine. See engine.d.mts for the types.
 * Throws SetUpError when this process is not root, dockerd is not installed, or the engine does not answer in time.
 */
export const startPrivateEngine = async () => {
  requirements();
  const folder = mkdtempSync(join(tmpdir(), 'runtime-cleanup-engine-'));
  chmodSync(folder, 0o711);
  const socketPath = join(folder, 'engine.sock');
  const place = { folder, socketPath, dataRoot: join(folder, 'data'), configFile: join(folder, 'engine.json') };
  writeFileSync(place.configFile, '{}');
  let service;
  try {
    service = await startDaemon(place);
  } catch (error) {
    removeEngineFolder(folder);
    throw error;
  }
  return {
    socketPath,
    dataRoot: place.dataRoot,
    logFile: service.logFile,
    pid: () => service.pid,
    signal: (signal) => service.signal(signal),
    kill: async () => {
      service.signal('SIGKILL');
      await service.ended;
    },
    restart: async (change = {}) => {
      await service.stop();
      service = await startDaemon({ ...place, ...change });
    },
    stop: async () => {
      if (service.isRunning()) {
        service.signal('SIGCONT');
        await removeRunningContainers(socketPath);
      }
      await service.stop();
      removeEngineFolder(folder);
    },
  };
};
