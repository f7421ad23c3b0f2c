import { runQuietly } from '../command.mjs';
import { BROWSERS } from '../rules.mjs';
import { runStep } from '../output.mjs';
import { SetUpError } from '../set-up-error.mjs';
import { which } from '../which.mjs';

/** The Debian and Ubuntu package of each program. */
const PACKAGE_OF = {
  'redis-server': 'redis-server',
  openssl: 'openssl',
  pgbouncer: 'pgbouncer',
  psql: 'postgresql-client',
  dockerd: 'docker.io',
  docker: 'docker.io',
  ip: 'iproute2',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  mmdebstrap: 'mmdebstrap',
  slirp4netns: 'slirp4netns',
  'chromium-headless-shell': 'chromium-headless-shell',
  chromium: 'chromium',
};

/** Each package once; some contain several of the programs. */
const packagesOf = (programs) => [...new Set(programs.map((program) => PACKAGE_OF[program]))];

const APT = ['-qq', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Options::=--force-confold'];

const install = async (packages, announce) => {
  const shown = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // An interrupted installation leaves the package database in a state that needs manual repair.
  const options = { environment, remedy: `sudo ${shown}`, outlivesUs: true };
  const attempt = () =>
    runQuietly('apt-get', [...APT, 'install', '-y', '--no-install-recommends', ...packages], options);
  announce(shown);
  try {
    await attempt();
  } catch {
    // A fresh image has no package lists, and the lists of an old one name packages that no longer exist.
    announce('apt-get update');
    await runQuietly('apt-get', [...APT, 'update'], { ...options, remedy: 'sudo apt-get update' });
    await attempt();
  }
};

/**
 * The command with which the user can install the given programs.
 * @param {readonly string[]} programs
 * @returns {string | undefined} undefined on a machine without apt-get
 */
const installCommand = (programs) => {
  if (which('apt-get') === null) return undefined;
  return `sudo apt-get install -y --no-install-recommends ${packagesOf(programs).join(' ')}`;
};

/**
 * Throws SetUpError with the command that installs the programs, unless this process is root on Debian or Ubuntu.
 * @param {string} name of the step
 * @param {readonly string[]} programs
 */
const requireInstaller = (name, programs) => {
  const remedy = installCommand(programs);
  const what = `${name}: ${programs.join(', ')} not found`;
  if (remedy === undefined) {
    throw new SetUpError(`${what}, and this machine has no apt-get to install them. Install them and run this again.`);
  }
  if (process.getuid?.() !== 0) throw new SetUpError(what, { remedy });
};

/**
 * Makes sure that programs are on this machine: as root on Debian or Ubuntu it installs the missing ones, otherwise it
 * rejects with SetUpError, which names the command that installs them.
 * @param {string} name of the step
 * @param {readonly (keyof typeof PACKAGE_OF)[]} programs
 */
export const ensurePrograms = (name, programs) =>
  runStep(name, async (announce) => {
    const missing = programs.filter((program) => which(program) === null);
    if (missing.length === 0) return { summary: `${programs.join(', ')} found` };
    requireInstaller(name, missing);
    await install(packagesOf(missing), announce);
    const still = missing.filter((program) => which(program) === null);
    if (still.length > 0) throw new SetUpError(`${name}: ${still.join(', ')} not found after the installation`);
    return { summary: `${missing.join(', ')} installed` };
  });

/** Does the same for one of the browsers; some releases do not have the small one. */
export const ensureBrowser = () =>
  runStep('Browser', async (announce) => {
    const found = BROWSERS.find((browser) => which(browser) !== null);
    if (found !== undefined) return { summary: `${found} found` };
    const [small, whole] = BROWSERS;
    requireInstaller('Browser', [small]);
    await install([PACKAGE_OF[small]], announce).catch(() => install([PACKAGE_OF[whole]], announce));
    const installed = BROWSERS.find((browser) => which(browser) !== null);
    if (installed === undefined)
      throw new SetUpError(`Browser: ${BROWSERS.join(' and ')} not found after the installation`);
    return { summary: `${installed} installed` };
  });
