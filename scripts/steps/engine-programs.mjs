import { asRoot } from '../as-root.mjs';
import { SetUpError } from '../set-up-error.mjs';
import { ensurePrograms } from './packages.mjs';

const ENGINE_PROGRAMS = ['dockerd', 'ip', 'unshare'];

/**
 * The programs of whoever starts a Docker engine of its own, installed where they may be.
 * @param {{ who: string, command: string, name: string, programs: readonly string[] }} task who wants them, what the person ran,
 *   what the step is called, and which programs besides the engine's
 */
export const ensureEnginePrograms = async ({ who, command, name, programs }) => {
  if (process.platform !== 'linux') {
    throw new SetUpError(`${who} starts a Docker engine of its own, which works on Linux only. Without it:`, {
      remedy: 'npm run test:unit',
    });
  }
  if (process.getuid() !== 0) {
    throw new SetUpError(`${who} starts a Docker engine of its own, apart from any other, which needs root.`, {
      remedy: asRoot(command),
    });
  }
  await ensurePrograms(name, [...programs, ...ENGINE_PROGRAMS]);
};

/** What the tests of the service and the fault laboratory start. */
export const ensureServicePrograms = ({ who, command }) =>
  ensureEnginePrograms({ who, command, name: 'Redis and Docker programs', programs: ['redis-server'] });
