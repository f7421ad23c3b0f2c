import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/async/clock.js';
import { eventually } from '../../support/eventually.js';
import { createEmbeddedWorld, isAlive, query, type EmbeddedWorld } from './embedded-world.js';

let world: EmbeddedWorld;
beforeAll(async () => {
  world = await createEmbeddedWorld();
});
afterEach(() => world.tidy());
afterAll(() => world.remove());

describe('a server that dies', () => {
  test('is started again for its user under the same address, with all that was committed', async () => {
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

  test('together with its user is started again by the next one', async () => {
    const user = await world.startUser();
    await query(user.url, `INSERT INTO kept SELECT 'survivor'`);
    const pid = await world.serverPid();
    await user.kill('SIGKILL');
    process.kill(pid, 'SIGKILL');
    const { url } = await world.start();
    expect(await query(url, 'SELECT max(word) FROM kept')).toBe('survivor');
    await query(url, `DELETE FROM kept WHERE word = 'survivor'`);
  });

  test('while its user leaves is left alone, or started only to be stopped', async () => {
    const server = await world.start();
    process.kill(await world.serverPid(), 'SIGKILL');
    await server.stop();
    const { url } = await world.start();
    expect(await query(url, 'SELECT word FROM kept')).toBe('first');
  });

  test('leaves its note behind, which may name a stranger by now: the stranger is let alone', async () => {
    const user = await world.startUser();
    const pid = await world.serverPid();
    const note = await readFile(world.pidFile, 'utf8');
    await user.kill('SIGKILL');
    process.kill(pid, 'SIGKILL');
    await eventually(() => expect(isAlive(pid)).toBe(false));
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await writeFile(world.pidFile, note.replace(/^\d+/, String(stranger.pid)));
    try {
      const { url } = await world.start();
      expect(await query(url, 'SELECT word FROM kept')).toBe('first');
      expect(isAlive(stranger.pid ?? 0)).toBe(true);
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  test('while it starts may leave an empty note behind, which is put away', async () => {
    await writeFile(world.pidFile, '');
    const hurried = { ...systemClock, monotonicMs: () => 10 * systemClock.monotonicMs() };
    const { url } = await world.start({ clock: hurried });
    expect(await query(url, 'SELECT word FROM kept')).toBe('first');
  });

  test('but does not fall, only answers no more, is replaced', async () => {
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

test('data of another PostgreSQL are refused with its own words', async () => {
  const version = path.join(world.pgData, 'PG_VERSION');
  const right = await readFile(version, 'utf8');
  await writeFile(version, '17\n');
  try {
    await expect(world.start()).rejects.toThrow(
      /does not start: .*database files are incompatible with server.*postgres\.log/,
    );
  } finally {
    await writeFile(version, right);
  }
});
