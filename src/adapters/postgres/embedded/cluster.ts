import { execFile } from 'node:child_process';
import { chown, mkdtemp, rename, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { ConfigurationError, messageOf } from '../../../domain/errors.js';
import { type AccessRules, writeAccessRules } from './access-rules.js';
import type { Binaries } from './binaries.js';
import { readServerFile } from './server-files.js';
import { childOptions, type ServerUser } from './server-user.js';

/** PostgreSQL's data on disk, and who may log in to them. */
export interface Cluster {
  readonly pgData: string;
  readonly rules: AccessRules;
}

export const SUPERUSER = 'runtime_cleanup';
export const DATABASE = 'postgres';

const run = promisify(execFile);
const INITDB_TIMEOUT_MS = 120_000;

export const pgDataOf = (dataDir: string): string => path.join(dataDir, 'postgres');

/**
 * The cluster in `dataDir`, created by initdb if it does not exist. It is built under a temporary name and renamed when it
 * is complete; if several processes build one at once, all but one delete theirs.
 */
export async function ensureCluster(
  dataDir: string,
  binaries: Binaries,
  user: ServerUser | undefined,
): Promise<Cluster> {
  const pgData = pgDataOf(dataDir);
  const rules = await writeAccessRules(dataDir, user);
  if (!(await isCluster(pgData, user))) await createCluster(pgData, binaries, user);
  return { pgData, rules };
}

async function createCluster(pgData: string, binaries: Binaries, user: ServerUser | undefined): Promise<void> {
  const unfinished = await mkdtemp(`${pgData}-`);
  try {
    if (user !== undefined) await chown(unfinished, user.uid, user.gid);
    await initdb(unfinished, binaries, user);
    await rename(unfinished, pgData);
  } catch (error) {
    await removeFolder(unfinished, user);
    if (!(await isCluster(pgData, user))) throw error;
  }
}

/** What lies in a folder of the server's user is removed as that user, who could otherwise lead root to other folders. */
async function removeFolder(folder: string, user: ServerUser | undefined): Promise<void> {
  if (user === undefined) return rm(folder, { recursive: true, force: true });
  // It may not remove the folder itself, whose parent belongs to root.
  await run('rm', ['-rf', '--', folder], childOptions(user)).catch(() => undefined);
  return rmdir(folder);
}

async function initdb(data: string, binaries: Binaries, user: ServerUser | undefined): Promise<void> {
  const args = ['-D', data, '-U', SUPERUSER, '--auth-local=peer', '--auth-host=reject'];
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

async function isCluster(pgData: string, user: ServerUser | undefined): Promise<boolean> {
  try {
    return (await readServerFile(path.join(pgData, 'PG_VERSION'), user)) !== undefined;
  } catch (error) {
    throw new ConfigurationError(`PostgreSQL's data cannot be read: ${messageOf(error)}; whose are they?`, {
      cause: error,
    });
  }
}
