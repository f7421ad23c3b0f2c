import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { mountPointsBelow } from '../rules.mjs';
import { which } from '../which.mjs';

const unmountBelow = (folder) => {
  const umount = which('umount');
  if (process.platform !== 'linux' || umount === null) return;
  for (const path of mountPointsBelow(readFileSync('/proc/mounts', 'utf8'), folder)) {
    spawnSync(umount, ['--lazy', path], { stdio: 'ignore' });
  }
};

/**
 * Removes the folder of a container engine, with the mounts it left there and files that were made immutable.
 * @param {string} folder
 */
export const removeEngineFolder = (folder) => {
  unmountBelow(folder);
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  try {
    remove();
  } catch (error) {
    const chattr = which('chattr');
    // An immutable file gives different error codes on different file systems, so every error leads to this attempt.
    if (chattr === null) throw error;
    spawnSync(chattr, ['-R', '-f', '-i', folder], { stdio: 'ignore' });
    remove();
  }
};
