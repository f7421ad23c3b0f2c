import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { npm } from '../npm.mjs';
import { inProject, readProjectJson } from '../project.mjs';
import { matchesLock } from '../rules.mjs';
import { runStep } from '../output.mjs';

const STAMP = inProject('node_modules', '.runtime-cleanup-installed');
// The list of the installed packages, which npm writes at the end of an installation.
const INSTALLED = ['node_modules', '.package-lock.json'];

/** The lock, and what decides which binaries fit. */
const wantedStamp = () =>
  createHash('sha256')
    .update(readFileSync(inProject('package-lock.json')))
    .update(`${process.platform} ${process.arch} ${process.versions.modules}`)
    .digest('hex');

const state = (wanted) => {
  if (!existsSync(inProject(...INSTALLED))) return 'missing';
  if (existsSync(STAMP)) return readFileSync(STAMP, 'utf8') === wanted ? 'stamped' : 'stale';
  return matchesLock(readProjectJson('package-lock.json'), readProjectJson(...INSTALLED))
    ? 'installed by hand'
    : 'stale';
};

/** Installs exactly the packages of package-lock.json, unless they are installed already. */
export const ensureNodeModules = () =>
  runStep('node_modules', async (announce) => {
    const wanted = wantedStamp();
    const before = state(wanted);
    if (before === 'stamped') return { summary: 'up to date' };
    if (before !== 'installed by hand') {
      announce(
        before === 'missing' ? 'installing with npm ci' : 'package-lock.json has changed, installing with npm ci',
      );
      await npm(['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error']);
    }
    writeFileSync(STAMP, wanted);
    return { summary: before === 'installed by hand' ? 'up to date' : 'installed' };
  });
