import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  access,
  chmod,
  chown,
  constants,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { ConfigurationError, messageOf } from '../../../domain/errors.js';
import type { Binaries } from './binaries.js';
import { canEnter, childOptions, type ServerUser } from './server-user.js';

/** PostgreSQL's data on disk, and the one login to it. */
export interface Cluster {
  readonly pgData: string;
  readonly password: string;
}

export const SUPERUSER = 'runtime_cleanup';
export const DATABASE = 'postgres';

const run = promisify(execFile);
const PASSWORD_FILE = 'runtime-cleanup.password';
const INITDB_TIMEOUT_MS = 120_000;

/** Creates the data folder where it is missing and returns its real path; `user` must be able to reach it. */
export async function openDataDir(dataDir: string, user: ServerUser | undefined): Promise<string> {
  await refuseUnreachable(await nearestFolder(dataDir), user);
  try {
    const created = await mkdir(dataDir, { recursive: true, mode: 0o755 });
    // Parent folders that mkdir created stay owned by root and readable by all; an existing folder is left as it is.
    if (created !== undefined && user !== undefined) await chown(dataDir, user.uid, user.gid);
    if (created !== undefined) await chmod(dataDir, 0o700);
  } catch (error) {
    throw new ConfigurationError(`RTMANAGER_DATA_DIR cannot be used: ${messageOf(error)}`, { cause: error });
  }
  const real = await realpath(dataDir);
  await access(real, constants.W_OK | constants.X_OK).catch((error: unknown) => {
    throw new ConfigurationError(`RTMANAGER_DATA_DIR cannot be written to: ${messageOf(error)}`, { cause: error });
  });
  await refuseUnreachable(real, user);
  return real;
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

async function refuseUnreachable(folder: string, user: ServerUser | undefined): Promise<void> {
  if (user === undefined || (await canEnter(folder, user))) return;
  throw new ConfigurationError(
    `RTMANAGER_DATA_DIR: ${folder} cannot be entered by the user "${user.name}", as whom PostgreSQL runs because this ` +
      'process is root; name a folder that other users may enter, such as /var/lib/runtime-cleanup',
  );
}

/**
 * The cluster in `dataDir`, created by initdb if it does not exist. It is built under a temporary name and renamed when it is
 * complete, password included; if several processes build one at once, all but one delete theirs.
 */
export async function ensureCluster(
  dataDir: string,
  binaries: Binaries,
  user: ServerUser | undefined,
): Promise<Cluster> {
  const pgData = path.join(dataDir, 'postgres');
  if (!(await isCluster(pgData))) await createCluster(pgData, binaries, user);
  return { pgData, password: (await readFile(path.join(pgData, PASSWORD_FILE), 'utf8')).trim() };
}

async function createCluster(pgData: string, binaries: Binaries, user: ServerUser | undefined): Promise<void> {
  const unfinished = await mkdtemp(`${pgData}-`);
  try {
    const data = path.join(unfinished, 'data');
    const passwordFile = path.join(unfinished, PASSWORD_FILE);
    await mkdir(data, { mode: 0o700 });
    await writeFile(passwordFile, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' });
    if (user !== undefined) {
      await Promise.all([unfinished, data, passwordFile].map((file) => chown(file, user.uid, user.gid)));
    }
    await initdb(data, passwordFile, binaries, user);
    await rename(passwordFile, path.join(data, PASSWORD_FILE));
    await rename(data, pgData).catch(async (error: unknown) => {
      if (!(await isCluster(pgData))) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function initdb(
  data: string,
  passwordFile: string,
  binaries: Binaries,
  user: ServerUser | undefined,
): Promise<void> {
  const args = ['-D', data, '-U', SUPERUSER, '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  try {
    await run(binaries.initdb, [...args, '--encoding=UTF8', '--locale=C', '--no-instructions'], {
      ...childOptions(user),
      timeout: INITDB_TIMEOUT_MS,
    });
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new ConfigurationError(`PostgreSQL's initdb failed in ${data}: ${stderr || messageOf(error)}`, {
      cause: error,
    });
  }
}

async function isCluster(pgData: string): Promise<boolean> {
  try {
    await access(path.join(pgData, 'PG_VERSION'));
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw new ConfigurationError(`PostgreSQL's data cannot be read: ${messageOf(error)}; whose are they?`, {
      cause: error,
    });
  }
}
