/**
 * When root runs the embedded PostgreSQL, the server has a user of its own. What that user puts into folders that it may
 * write to must not lead root to other files. As another user than root the tests show that no link is followed.
 */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../../../../scripts/services/free-port.mjs';
import { makeUsable, packagedBinaries } from '../../../../src/adapters/postgres/embedded/binaries.js';
import { openDataDir } from '../../../../src/adapters/postgres/embedded/data-dir.js';
import {
  childOptions,
  findServerUser,
  type ServerUser,
} from '../../../../src/adapters/postgres/embedded/server-user.js';
import { eventually } from '../../../support/eventually.js';
import { createEmbeddedWorld, query, type EmbeddedWorld } from './embedded-world.js';

let world: EmbeddedWorld;
let user: ServerUser | undefined;
let victim: string;
beforeAll(async () => {
  world = await createEmbeddedWorld();
  user = await findServerUser();
});
beforeEach(async () => {
  victim = path.join(world.folder, 'victim');
  await writeFile(victim, 'untouched', { mode: 0o600 });
});
afterEach(() => world.tidy());
afterAll(() => world.remove());

/** As an earlier release left it: the whole folder belongs to the server's user. */
async function giveAwayDataDir(): Promise<void> {
  if (user !== undefined) await chown(world.dataDir, user.uid, user.gid);
  await chmod(world.dataDir, 0o700);
}

const works = async (): Promise<void> => {
  const { url } = await world.start();
  expect(await query(url, 'SELECT word FROM kept')).toBe('first');
};

describe('a folder that the server user prepared before the start', () => {
  test.each([
    ['a link', (target: string, file: string) => symlink(target, file)],
    ['a second name', (target: string, file: string) => link(target, file)],
  ])('a start writes to no file to which %s in the data folder leads', async (_kind, prepare) => {
    await giveAwayDataDir();
    for (const name of ['postgres.log', 'pg_hba.conf', 'pg_ident.conf']) {
      await rm(path.join(world.dataDir, name), { force: true });
      await prepare(victim, path.join(world.dataDir, name));
    }
    await works();
    expect(await readFile(victim, 'utf8')).toBe('untouched');
    const { uid, mode } = await stat(victim);
    expect([uid, mode & 0o777]).toEqual([process.getuid?.(), 0o600]);
  });

  test('a start takes the data folder of an earlier release back from the server user', async () => {
    await giveAwayDataDir();
    await works();
    const { uid, mode } = await stat(world.dataDir);
    expect(uid).toBe(process.getuid?.());
    expect(mode & 0o066).toBe(0);
    expect((await stat(world.pgData)).uid).toBe(user?.uid ?? process.getuid?.());
  });

  test.each([
    ['a link', (file: string) => symlink(victim, file)],
    ['a pipe', (file: string) => execFileSync('sh', ['-c', 'mkfifo "$0"', file])],
  ])('a lock file of the server that is %s is refused by its name', async (_kind, prepare) => {
    await prepare(world.pidFile);
    await expect(world.start()).rejects.toThrow(/postmaster\.pid is not a file that PostgreSQL has written/);
    await rm(world.pidFile);
    await works();
  });
});

describe('a data folder that the server user could replace', () => {
  let folder: string;
  const self = { name: userInfo().username, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'embedded-'));
    await chmod(folder, 0o755);
    const { uid, gid } = user ?? self;
    await chown(folder, uid, gid);
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('a data folder below a folder of the server user is refused, and nothing is created', async () => {
    const refused = openDataDir(path.join(folder, 'data'), user ?? self);
    await expect(refused).rejects.toThrow(/RTMANAGER_DATA_DIR: \S+ can be written to by the user "\w+"/);
    await expect(lstat(path.join(folder, 'data'))).rejects.toThrow(/ENOENT/);
  });

  test('a folder of the server user with other data is refused, and stays as it is', async () => {
    await mkdir(path.join(folder, '15'));
    await expect(openDataDir(folder, user ?? self)).rejects.toThrow(/can be written to by the user/);
    expect((await stat(folder)).uid).toBe((user ?? self).uid);
  });
});

test('a data folder whose path is too long for a socket has its socket in a short folder that is as closed', async () => {
  const dataDir = path.join(world.folder, 'long'.repeat(25));
  const first = await world.start({ dataDir });
  const folder = new URL(first.url).searchParams.get('host') ?? '';
  try {
    expect(world.logged).toEqual([`its socket is in ${folder}: the path of its data is too long for one`]);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(await query(first.url, 'SELECT 1')).toBe(1);
    await first.stop();
    expect((await world.start({ dataDir })).url).toBe(first.url);
    await world.tidy();
    await chmod(folder, 0o755);
    await expect(world.start({ dataDir })).rejects.toThrow(/too long for a socket, and \S+, where it would be instead/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

describe('a server of an earlier release', () => {
  /** Starts one on a port, with a password beside its data. */
  async function startEarlier(): Promise<string> {
    const { url, stop } = await world.start();
    await query(url, `ALTER ROLE runtime_cleanup PASSWORD 'beside the data'`);
    await stop();
    const password = path.join(world.pgData, 'runtime-cleanup.password');
    const rules = path.join(world.pgData, 'pg_hba.conf');
    await writeFile(password, 'beside the data\n', { mode: 0o600 });
    await rename(rules, `${rules}.kept`).catch(() => undefined);
    await writeFile(rules, 'host all all 127.0.0.1/32 scram-sha-256\n');
    if (user !== undefined) for (const file of [password, rules]) await chown(file, user.uid, user.gid);
    const port = await freePort();
    const { postgres } = await makeUsable(await packagedBinaries(), world.dataDir, user);
    const settings = ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='];
    spawn(postgres, ['-D', world.pgData, '-p', String(port), ...settings], {
      ...childOptions(user),
      stdio: 'ignore',
      detached: true,
    }).unref();
    const address = `postgresql://runtime_cleanup:beside%20the%20data@127.0.0.1:${port}/postgres`;
    await eventually(async () => expect(await query(address, 'SELECT 1')).toBe(1));
    return address;
  }

  test('a server that an earlier release left is stopped when no process uses it, and its data are used on the socket', async () => {
    const member = new Client({ connectionString: await startEarlier() });
    await member.connect();
    await member.query('SELECT pg_advisory_lock_shared(727073690)');
    await expect(world.start()).rejects.toThrow(
      /processes of an earlier release use the embedded PostgreSQL .*stop them/,
    );
    await member.end();
    await works();
    expect(world.logged).toEqual([
      'a server that an earlier release has left is stopped, to be started on a Unix socket',
    ]);
  });
});
