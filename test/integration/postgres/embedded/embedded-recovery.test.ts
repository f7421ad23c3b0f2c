import { spawn } from 'node:child_process';
import { chown, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../../src/async/clock.js';
import { eventually } from '../../../support/eventually.js';
import { createEmbeddedWorld, isAlive, query, type EmbeddedWorld } from './embedded-world.js';

let world: EmbeddedWorld;
beforeAll(async () => {
  world = await createEmbeddedWorld();
});
afterEach(() => world.tidy());
afterAll(() => world.remove());

describe('a server that dies', () => {
  test('a server that dies is started again under the same address, with all committed data', async () => {
    const { url } = await world.start();
    await query(url, `INSERT INTO kept SELECT 'survivor'`);
    const pid = await world.serverPid();
    process.kill(pid, 'SIGKILL');
    await eventually(async () => expect(await query(url, `SELECT max(word) FROM kept`)).toBe('survivor'), {
      withinMs: 20_000,
    });
    expect(await world.serverPid()).not.toBe(pid);
    await query(url, `DELETE FROM kept WHERE word = 'survivor'`);
  });

  test('a server that dies together with its user is started again by the next user', async () => {
    const user = await world.startUser();
    await query(user.url, `INSERT INTO kept SELECT 'survivor'`);
    const pid = await world.serverPid();
    await user.kill('SIGKILL');
    process.kill(pid, 'SIGKILL');
    const { url } = await world.start();
    expect(await query(url, 'SELECT max(word) FROM kept')).toBe('survivor');
    await query(url, `DELETE FROM kept WHERE word = 'survivor'`);
  });

  test('a server that dies while its user leaves does not prevent the next start', async () => {
    const server = await world.start();
    process.kill(await world.serverPid(), 'SIGKILL');
    await server.stop();
    const { url } = await world.start();
    expect(await query(url, 'SELECT word FROM kept')).toBe('first');
  });

  test('a start leaves another process alone when the pid file of a dead server names it', async () => {
    const user = await world.startUser();
    const pid = await world.serverPid();
    const pidFile = await readFile(world.pidFile, 'utf8');
    await user.kill('SIGKILL');
    process.kill(pid, 'SIGKILL');
    await eventually(() => expect(isAlive(pid)).toBe(false));
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    for (const file of [world.pidFile, path.join(world.pgData, '.s.PGSQL.5432.lock')]) {
      await writeFile(file, pidFile.replace(/^\d+/, String(stranger.pid)));
    }
    try {
      const { url } = await world.start();
      expect(await query(url, 'SELECT word FROM kept')).toBe('first');
      expect(isAlive(stranger.pid ?? 0)).toBe(true);
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  test('a start replaces an empty pid file', async () => {
    await writeFile(world.pidFile, '');
    const { uid, gid } = await stat(world.pgData);
    await chown(world.pidFile, uid, gid);
    const hurried = { ...systemClock, monotonicMs: () => 10 * systemClock.monotonicMs() };
    const { url } = await world.start({ clock: hurried });
    expect(await query(url, 'SELECT word FROM kept')).toBe('first');
  });

  test('a server that no longer answers is replaced', async () => {
    const user = await world.startUser();
    const pid = await world.serverPid();
    await user.kill('SIGKILL');
    process.kill(pid, 'SIGSTOP');
    // The limit for silence is far longer than a test may take.
    const hurried = { ...systemClock, monotonicMs: () => 10 * systemClock.monotonicMs() };
    const { url } = await world.start({ clock: hurried });
    expect(await world.serverPid()).not.toBe(pid);
    await eventually(() => expect(isAlive(pid)).toBe(false));
    expect(await query(url, 'SELECT word FROM kept')).toBe('first');
    expect(world.logged.join('\n')).toMatch(/does not answer .*; it is killed and started anew/);
  });
});

test('the data of another version of PostgreSQL are refused with the way to move them', async () => {
  const version = path.join(world.pgData, 'PG_VERSION');
  const right = await readFile(version, 'utf8');
  await writeFile(version, '17\n');
  try {
    await expect(world.start()).rejects.toThrow(
      /the data in \S+ are of PostgreSQL 17, and this release runs PostgreSQL \d+\. .*pg_dump --format=custom.*pg_restore/,
    );
  } finally {
    await writeFile(version, right);
  }
});
