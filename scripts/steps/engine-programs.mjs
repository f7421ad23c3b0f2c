import { asRoot, SetUpError } from '../set-up-error.mjs';
import { ensurePrograms } from './packages.mjs';

const ENGINE_PROGRAMS = ['dockerd', 'ip', 'unshare'];

/**
 * Installs the programs of a task that starts a private Docker engine, or rejects with SetUpError when it cannot.
 * @param {{ who: string, command: string, name: string, programs: readonly string[] }} task `who` needs them, the `command` of
 *   the user, the `name` of the step, and the `programs` besides the engine's
 */
export const ensureEnginePrograms = async ({ who, command, name, programs }) => {
  if (process.platform !== 'linux') {
    throw new SetUpError(
      `${who} starts a private Docker engine, which works on Linux only. The unit tests run everywhere.`,
      {
        remedy: 'npm run test:unit',
      },
    );
  }
  if (process.getuid() !== 0) {
    throw new SetUpError(`${who} starts a private Docker engine, which needs root.`, {
      remedy: asRoot(command),
    });
  }
  await ensurePrograms(name, [...programs, ...ENGINE_PROGRAMS]);
};

/** The programs that the tests and the fault laboratory start. */
export const ensureServicePrograms = ({ who, command }) =>
  ensureEnginePrograms({
    who,
    command,
    name: 'Redis, PgBouncer, psql, Docker and OpenSSL programs',
    programs: ['redis-server', 'pgbouncer', 'psql', 'openssl'],
  });
