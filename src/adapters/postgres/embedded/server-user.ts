import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { ConfigurationError } from '../../../domain/errors.js';

/** Whom the server runs as, where that is not the user of this process. */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const run = promisify(execFile);

/** PostgreSQL refuses to run as root: for root it runs as the user `postgres` or, if there is no such user, as `nobody`. */
export async function findServerUser(): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const ids = await Promise.all([idOf('-u', name), idOf('-g', name)]).catch(() => undefined);
    if (ids !== undefined) return { name, uid: ids[0], gid: ids[1] };
  }
  throw new ConfigurationError(
    'PostgreSQL does not run as root, and there is neither a user "postgres" nor "nobody" to run it as; ' +
      'run this program as another user, or set DATABASE_URL',
  );
}

/**
 * How the server's programs are run. They get an environment of their own: a server outlives us, so it must not keep our
 * secrets, nor read PGPORT, PGDATA or a time zone that were set for another program. The working folder may be one that
 * its user cannot enter, so it is the root.
 */
export function childOptions(user: ServerUser | undefined): {
  readonly cwd: string;
  readonly env: Record<string, string>;
  readonly uid?: number;
  readonly gid?: number;
} {
  return {
    cwd: '/',
    env: { LC_ALL: 'C', TZ: 'UTC' },
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  };
}

/** Whether `user` may enter `directory`, found out by trying. */
export async function canEnter(directory: string, user: ServerUser): Promise<boolean> {
  return run('test', ['-x', directory], childOptions(user)).then(
    () => true,
    () => false,
  );
}

async function idOf(flag: string, name: string): Promise<number> {
  const { stdout } = await run('id', [flag, name]);
  return Number(stdout);
}
