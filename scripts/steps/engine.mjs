import { accessSync, constants, existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { addressOf } from '../rules.mjs';
import { engineVersion, startPrivateEngine } from '../services/engine.mjs';
import { runStep } from '../output.mjs';
import { asRoot, SetUpError } from '../set-up-error.mjs';
import { ensurePrograms } from './packages.mjs';

const NAME = 'Docker engine';

/** The default sockets of the system's engine, of a rootless one, and of Docker Desktop. */
const usualSockets = () =>
  [
    '/var/run/docker.sock',
    process.env.XDG_RUNTIME_DIR && join(process.env.XDG_RUNTIME_DIR, 'docker.sock'),
    join(homedir(), '.docker', 'run', 'docker.sock'),
  ].filter((path) => path && existsSync(path));

const mayUse = (path) => {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
};

const useGiven = async (dockerHost) => {
  const address = addressOf(dockerHost, { tls: process.env.DOCKER_TLS_VERIFY === '1' });
  if (address === null) return { summary: `DOCKER_HOST=${dockerHost}, not checked`, value: dockerHost };
  const version = await engineVersion(address);
  if (version === null) {
    throw new SetUpError(`${NAME}: DOCKER_HOST=${dockerHost} does not answer. Start that engine, or use another one.`, {
      remedy: 'unset DOCKER_HOST',
    });
  }
  return { summary: `${version} at DOCKER_HOST=${dockerHost}`, value: dockerHost };
};

const useUsual = async () => {
  for (const path of usualSockets()) {
    const version = mayUse(path) ? await engineVersion({ socketPath: path }) : null;
    if (version !== null) return { summary: `${version} at ${path}`, value: `unix://${path}` };
  }
  return { summary: 'none is running on this machine' };
};

const refuse = (command) => {
  const forbidden = usualSockets().find((path) => !mayUse(path));
  if (forbidden !== undefined) {
    throw new SetUpError(`${NAME}: this user has no access to ${forbidden}`, { remedy: asRoot(command) });
  }
  if (process.platform !== 'linux')
    throw new SetUpError(`${NAME}: none answers. Start Docker Desktop and run this again.`);
  throw new SetUpError(`${NAME}: none answers, and only root can install and start one`, { remedy: asRoot(command) });
};

/**
 * Finds a Docker engine or starts a private one for this run.
 * @param {string} command what the user ran, shown when it needs root
 * @returns {Promise<{ environment: Record<string, string>, stop: () => Promise<void> }>}
 */
export const ensureEngine = async (command) => {
  const nothingToStop = async () => undefined;
  const given = process.env.DOCKER_HOST;
  const found = await runStep(NAME, () => (given ? useGiven(given) : useUsual()));
  if (found !== undefined) return { environment: { DOCKER_HOST: found }, stop: nothingToStop };
  if (process.platform !== 'linux' || process.getuid() !== 0) refuse(command);
  await ensurePrograms('Docker programs', ['dockerd', 'ip', 'unshare']);
  const engine = await runStep('private Docker engine', async () => {
    const value = await startPrivateEngine();
    const version = await engineVersion({ socketPath: value.socketPath });
    return { summary: `${version} started on ${value.socketPath}`, value };
  });
  return {
    environment: { DOCKER_HOST: `unix://${engine.socketPath}` },
    stop: () =>
      runStep('private Docker engine', async () => {
        await engine.stop();
        return { summary: 'stopped' };
      }),
  };
};
