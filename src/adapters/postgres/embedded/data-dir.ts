import { execFile } from 'node:child_process';
import { access, chmod, chown, constants, lstat, mkdir, open, readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { ConfigurationError, messageOf } from '../../../domain/errors.js';
import { canEnter, type ServerUser } from './server-user.js';

const run = promisify(execFile);

/**
 * Creates the data folder where it is missing and returns its real path.
 *
 * When root runs the server as `user`, the folder belongs to root, and `user` may only enter it: what root opens there
 * must not be a link that `user` has put in its place. Of what lies in it, `user` may write to PostgreSQL's own folder only.
 */
export async function openDataDir(dataDir: string, user: ServerUser | undefined): Promise<string> {
  const parent = await nearestFolder(path.dirname(dataDir));
  if (user !== undefined) await refuseUnusable(parent, user);
  try {
    const created = await mkdir(dataDir, { recursive: true, mode: 0o755 });
    // Parent folders that mkdir created stay readable by all; an existing folder of root is left as it is.
    if (created !== undefined) await closeToOthers(dataDir, user);
  } catch (error) {
    throw new ConfigurationError(`RTMANAGER_DATA_DIR cannot be used: ${messageOf(error)}`, { cause: error });
  }
  const real = await realpath(dataDir);
  if (user !== undefined) await takeOver(real, user);
  await access(real, constants.W_OK | constants.X_OK).catch((error: unknown) => {
    throw new ConfigurationError(`RTMANAGER_DATA_DIR cannot be written to: ${messageOf(error)}`, { cause: error });
  });
  if (user !== undefined) await refuseUnusable(real, user);
  return real;
}

async function closeToOthers(dataDir: string, user: ServerUser | undefined): Promise<void> {
  if (user === undefined) return chmod(dataDir, 0o700);
  await chown(dataDir, 0, user.gid);
  return chmod(dataDir, 0o710);
}

/**
 * Earlier releases gave the whole folder to the server's user. It is changed through its handle, so that no link is
 * followed; a folder of that user which holds something else is refused later.
 */
async function takeOver(dataDir: string, { uid, gid }: ServerUser): Promise<void> {
  if ((await lstat(dataDir)).uid !== uid) return;
  const entries = await readdir(dataDir);
  if (entries.length > 0 && !entries.includes('postgres')) return;
  const folder = await open(dataDir, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    await folder.chown(0, gid);
    await folder.chmod(0o710);
  } finally {
    await folder.close();
  }
}

/** The folder itself or, if it does not exist yet, the nearest existing parent: no folder is created for a check. */
async function nearestFolder(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (error) {
    const parent = path.dirname(folder);
    if (parent === folder) throw error;
    return nearestFolder(parent);
  }
}

async function refuseUnusable(folder: string, user: ServerUser): Promise<void> {
  const who = `the user "${user.name}", as whom PostgreSQL runs because this process is root`;
  if (!(await canEnter(folder, user))) {
    throw new ConfigurationError(
      `RTMANAGER_DATA_DIR: ${folder} cannot be entered by ${who}; ` +
        'name a folder that other users may enter, such as /var/lib/runtime-cleanup',
    );
  }
  const writable = await firstWritable(folder, user);
  if (writable === undefined) return;
  throw new ConfigurationError(
    `RTMANAGER_DATA_DIR: ${writable} can be written to by ${who}, who could then replace what root opens there; ` +
      'name a folder that belongs to root, below folders of root, such as /var/lib/runtime-cleanup',
  );
}

/** The first of the folder and its parents in which `user` could put another file or folder under the same name. */
async function firstWritable(folder: string, user: ServerUser): Promise<string | undefined> {
  const { stdout } = await run('id', ['-G', user.name]);
  const groups = new Set(stdout.trim().split(' ').map(Number));
  for (let at = folder; ; at = path.dirname(at)) {
    const { uid, gid, mode } = await stat(at);
    // In a folder like /tmp only the owner of an entry may replace it.
    const isSticky = (mode & 0o1000) !== 0;
    const isShared = (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && groups.has(gid));
    if (uid === user.uid || (isShared && !isSticky)) return at;
    if (at === path.dirname(at)) return undefined;
  }
}
