import { chown, rename, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import path from 'node:path';

import { ConfigurationError } from '../../../domain/errors.js';
import type { ServerUser } from './server-user.js';

/** PostgreSQL's files that say who may log in. */
export interface AccessRules {
  readonly hbaFile: string;
  readonly identFile: string;
}

const MAP = 'runtime_cleanup';

/**
 * Lets in the user of this process and the server's user, each recognised by the kernel, so that there is no password.
 * The rules lie beside PostgreSQL's folder, whose own rules stay: an earlier release can still use the same data.
 */
export async function writeAccessRules(dataDir: string, user: ServerUser | undefined): Promise<AccessRules> {
  const names = new Set(['root', ownName(), ...(user === undefined ? [] : [user.name])]);
  const rules = { hbaFile: path.join(dataDir, 'pg_hba.conf'), identFile: path.join(dataDir, 'pg_ident.conf') };
  const head = '# Written by runtime-cleanup at each start.\n';
  await replace(rules.hbaFile, `${head}local all all peer map=${MAP}\n`, user);
  const lines = Array.from(names, (name) => `${MAP} "${name}" all\n`);
  await replace(rules.identFile, head + lines.join(''), user);
  return rules;
}

/** PostgreSQL itself asks for the names of users when it creates its data and when one logs in. */
function ownName(): string {
  try {
    return userInfo().username;
  } catch (cause) {
    throw new ConfigurationError(
      'the embedded PostgreSQL needs a user that has a name, and the user of this process has none on this system; set DATABASE_URL',
      { cause },
    );
  }
}

/** The new file takes the place of what is there, so that no link is followed. */
async function replace(file: string, text: string, user: ServerUser | undefined): Promise<void> {
  const written = `${file}.${randomUUID()}`;
  await writeFile(written, text, { mode: 0o640, flag: 'wx' });
  if (user !== undefined) await chown(written, 0, user.gid);
  await rename(written, file);
}
