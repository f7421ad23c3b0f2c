import { runQuietly } from '../command.mjs';
import { BROWSERS } from '../rules.mjs';
import { step } from '../say.mjs';
import { SetUpError } from '../set-up-error.mjs';
import { which } from '../which.mjs';

/** The Debian and Ubuntu package of each program that may have to be installed. */
const PACKAGE_OF = {
  'redis-server': 'redis-server',
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

/** Each once; some packages have several of the programs. */
const packagesOf = (programs) => [...new Set(programs.map((program) => PACKAGE_OF[program]))];

const APT = ['-qq', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Options::=--force-confold'];

const install = async (packages, announce) => {
  const shown = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // An installation that ends half-way leaves the package database to be repaired by hand.
  const options = { environment, remedy: `sudo ${shown}`, outlivesUs: true };
  const attempt = () =>
    runQuietly('apt-get', [...APT, 'install', '-y', '--no-install-recommends', ...packages], options);
  announce(shown);
  try {
    await attempt();
  } catch {
    // A fresh image has no package lists, an old one lists of packages that are gone.
    announce('apt-get update');
    await runQuietly('apt-get', [...APT, 'update'], { ...options, remedy: 'sudo apt-get update' });
    await attempt();
  }
};

/**
 * The command that installs the packages of the given programs, for a person to run.
 * @param {readonly string[]} programs
 * @returns {string | undefined} undefined where there is no apt-get
 */
const installCommand = (programs) => {
  if (which('apt-get') === null) return undefined;
  return `sudo apt-get install -y --no-install-recommends ${packagesOf(programs).join(' ')}`;
};

/**
 * Rejects with SetUpError naming the one command that helps, unless this is root on Debian or Ubuntu.
 * @param {string} name of the step
 * @param {readonly string[]} programs
 */
const requireInstaller = (name, programs) => {
  const remedy = installCommand(programs);
  const what = `${name}: ${programs.join(', ')} not found`;
  if (remedy === undefined) {
    throw new SetUpError(`${what}, and there is no apt-get to install it with. Install it and run this again.`);
  }
  if (process.getuid?.() !== 0) throw new SetUpError(what, { remedy });
};

/**
 * Makes sure that programs are on this machine: installs what is missing when this is root on Debian or Ubuntu, else
 * rejects with SetUpError naming the one command that does.
 * @param {string} name of the step
 * @param {readonly (keyof typeof PACKAGE_OF)[]} programs
 */
export const ensurePrograms = (name, programs) =>
  step(name, async (announce) => {
    const missing = programs.filter((program) => which(program) === null);
    if (missing.length === 0) return { said: `${programs.join(', ')} found` };
    requireInstaller(name, missing);
    await install(packagesOf(missing), announce);
    const still = missing.filter((program) => which(program) === null);
    if (still.length > 0) throw new SetUpError(`${name}: ${still.join(', ')} not found after the installation`);
    return { said: `${missing.join(', ')} installed` };
  });

/** Makes sure that one of the browsers is on this machine, likewise; not every release has the small one. */
export const ensureBrowser = () =>
  step('Browser', async (announce) => {
    const found = BROWSERS.find((browser) => which(browser) !== null);
    if (found !== undefined) return { said: `${found} found` };
    const [small, whole] = BROWSERS;
    requireInstaller('Browser', [small]);
    await install([PACKAGE_OF[small]], announce).catch(() => install([PACKAGE_OF[whole]], announce));
    const installed = BROWSERS.find((browser) => which(browser) !== null);
    if (installed === undefined) throw new SetUpError(`Browser: no ${BROWSERS.join(', no ')} after the installation`);
    return { said: `${installed} installed` };
  });
