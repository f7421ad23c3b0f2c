import { constants, lstat, open, rm, type FileHandle } from 'node:fs/promises';

import { ConfigurationError } from '../../../domain/errors.js';
import type { ServerUser } from './server-user.js';

/** More than any file of PostgreSQL that is read here. */
const LIMIT_BYTES = 64 * 1024;

/**
 * The text of a file in a folder that the server's user may write to; undefined when that file is missing. No link is followed,
 * no pipe is waited for, and a file of another user is refused: root must not read what the server's user could not.
 */
export async function readServerFile(
  file: string,
  user: Pick<ServerUser, 'uid'> | undefined,
): Promise<string | undefined> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let handle: FileHandle;
  try {
    handle = await open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    if (isCode(error, 'ELOOP')) throw notOurs(file);
    throw error;
  }
  try {
    const stats = await handle.stat();
    const isOwn = user === undefined || stats.uid === user.uid;
    if (!stats.isFile() || !isOwn || stats.size > LIMIT_BYTES) throw notOurs(file);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/**
 * Opens the server's log for writing. In the data folder of an earlier release the server's user may have left a link or
 * a second name of another file there; such a log is replaced, so that root writes to no other file.
 */
export async function openServerLog(file: string, user: ServerUser | undefined): Promise<FileHandle> {
  const stats = await lstat(file).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  const owners = [process.getuid?.(), user?.uid];
  const isPlain = stats === undefined || (stats.isFile() && stats.nlink === 1 && owners.includes(stats.uid));
  if (!isPlain) await rm(file);
  const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW } = constants;
  return open(file, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600);
}

export const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

const notOurs = (file: string): ConfigurationError =>
  new ConfigurationError(`${file} is not a file that PostgreSQL has written; look at it, and remove it`);
