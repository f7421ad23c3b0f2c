import { createHash } from 'node:crypto';
import { access, constants, lchown, lstat, mkdir } from 'node:fs/promises';
import path from 'node:path';

import { ConfigurationError } from '../../../domain/errors.js';
import { isSocketFolderShort } from '../../../domain/postgres-address.js';
import { isCode } from './server-files.js';
import type { ServerUser } from './server-user.js';

/**
 * The folder of the server's socket: that of its data, which PostgreSQL keeps closed to other users. Where its path is too
 * long for a socket, a short one that is as closed; its name is made of the long path, so that it is the same at each start.
 */
export async function openSocketFolder(pgData: string, user: ServerUser | undefined): Promise<string> {
  if (isSocketFolderShort(pgData)) return pgData;
  const uid = user?.uid ?? process.getuid?.();
  const parent = await firstWritable(user === undefined ? [`/run/user/${uid}`] : ['/run']);
  const name = createHash('sha256').update(pgData).digest('hex').slice(0, 16);
  const folder = path.join(parent, `runtime-cleanup-${name}`);
  await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
    if (!isCode(error, 'EEXIST')) throw error;
  });
  const found = await lstat(folder);
  if (user !== undefined && found.uid === 0) await lchown(folder, user.uid, user.gid);
  const owners = user === undefined ? [uid] : [uid, 0];
  if (found.isDirectory() && owners.includes(found.uid) && (found.mode & 0o077) === 0) return folder;
  throw new ConfigurationError(
    `RTMANAGER_DATA_DIR: the path of ${pgData} is too long for a socket, and ${folder}, where it would be instead, ` +
      'is not a folder that only the user of the server may enter; name a shorter data folder, or remove that one',
  );
}

async function firstWritable(folders: readonly string[]): Promise<string> {
  for (const folder of folders) {
    const isWritable = await access(folder, constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isWritable) return folder;
  }
  return '/tmp';
}
