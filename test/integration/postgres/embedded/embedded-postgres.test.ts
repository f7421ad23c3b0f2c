import { stat } from 'node:fs/promises';
import path from 'node:path';
import { findEmbeddedPostgres } from '../../../../src/adapters/postgres/embedded/embedded-postgres.js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../../support/eventually.js';
import { createEmbeddedWorld, exists, isAlive, query, type EmbeddedWorld } from './embedded-world.js';

let world: EmbeddedWorld;
beforeAll(async () => {
  world = await createEmbeddedWorld();
});
afterEach(() => world.tidy());
afterAll(() => world.remove());

describe('the embedded PostgreSQL', () => {
  test('the embedded PostgreSQL keeps its data from start to start, listens on no network, and runs in UTC', async () => {
    const { url } = await world.start();
    expect(await query(url, 'SELECT word FROM kept')).toBe('first');
    expect(await query(url, 'SHOW TimeZone')).toBe('UTC');
    for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes']) {
      expect([setting, await query(url, `SHOW ${setting}`)]).toEqual([setting, 'on']);
    }
    expect(await query(url, 'SHOW listen_addresses')).toBe('');
    expect(await query(url, 'SHOW server_encoding')).toBe('UTF8');
  });

  test('the socket of the embedded PostgreSQL is closed to other users, and its address has no password', async () => {
    const { url } = await world.start();
    expect(url).toBe(`postgresql://runtime_cleanup@localhost:5432/postgres?host=${world.pgData}`);
    expect((await stat(world.pgData)).mode & 0o077).toBe(0);
    expect((await stat(path.join(world.pgData, '.s.PGSQL.5432'))).mode & 0o777).toBe(0o700);
    expect(await query(url, 'SELECT auth_method FROM pg_hba_file_rules')).toBe('peer');
  });

  test('the address of the embedded PostgreSQL is found while it runs, and nothing is started to find it', async () => {
    expect(await findEmbeddedPostgres(world.dataDir)).toBeUndefined();
    expect(await findEmbeddedPostgres(path.join(world.folder, 'none'))).toBeUndefined();
    const { url } = await world.start();
    expect(await findEmbeddedPostgres(world.dataDir)).toBe(url);
  });

  test('the embedded PostgreSQL never runs as root', async () => {
    await world.start();
    expect((await stat(world.pidFile)).uid).not.toBe(0);
  });

  test('the embedded PostgreSQL stops when its only user leaves, and can be stopped twice', async () => {
    const server = await world.start();
    const pid = await world.serverPid();
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    expect(await exists(world.pidFile)).toBe(false);
    await eventually(() => expect(isAlive(pid)).toBe(false));
    expect(world.logged).toEqual([]);
  });
});

describe('several users at once', () => {
  test('several users share one server, and the last one to leave stops it', async () => {
    const [one, two] = await Promise.all([world.start(), world.start()]);
    expect(two.url).toBe(one.url);
    await one.stop();
    expect(await query(two.url, 'SELECT word FROM kept')).toBe('first');
    await two.stop();
    expect(await exists(world.pidFile)).toBe(false);
  });

  test('users in several processes share one server', async () => {
    const user = await world.startUser();
    const ours = await world.start();
    expect(ours.url).toBe(user.url);
    await ours.stop();
    expect(await query(user.url, 'SELECT word FROM kept')).toBe('first');
    user.tell('stop');
    await user.exitCode();
    expect(await exists(world.pidFile)).toBe(false);
  });

  test('two first users at once create one cluster', async () => {
    const fresh = path.join(world.folder, 'fresh');
    const servers = await Promise.all([world.start({ dataDir: fresh }), world.start({ dataDir: fresh })]);
    expect(new Set(servers.map(({ url }) => url)).size).toBe(1);
    await Promise.all(servers.map((server) => server.stop()));
    expect(await exists(path.join(fresh, 'postgres', 'postmaster.pid'))).toBe(false);
  });

  test('users that come and go each find a server that works, and no server stays', async () => {
    const words = new Set<unknown>();
    const visitor = async (): Promise<void> => {
      for (let visit = 0; visit < 12; visit += 1) {
        const server = await world.start();
        words.add(await query(server.url, 'SELECT word FROM kept'));
        await server.stop();
      }
    };
    await Promise.all([visitor(), visitor(), visitor()]);
    expect(words).toEqual(new Set(['first']));
    expect(await exists(world.pidFile)).toBe(false);
  });
});

describe('a process that uses it', () => {
  test('a process keeps its exit code and its signals, and leaves no server after a stop', async () => {
    const user = await world.startUser();
    expect(user.listenersAdded).toBe(0);
    user.tell('stop');
    expect(await user.exitCode()).toBe(3);
    expect(await exists(world.pidFile)).toBe(false);
  });

  test('a process can end without a stop, and the next start takes the server over', async () => {
    const user = await world.startUser();
    const pid = await world.serverPid();
    user.tell('forget');
    expect(await user.exitCode()).toBe(3);
    const { url, stop } = await world.start();
    expect(url).toBe(user.url);
    expect(await world.serverPid()).toBe(pid);
    await stop();
    expect(await exists(world.pidFile)).toBe(false);
  });

  test('a killed process leaves its server, and the next start takes it over and stops it', async () => {
    const user = await world.startUser();
    const pid = await world.serverPid();
    await user.kill('SIGKILL');
    expect(isAlive(pid)).toBe(true);
    const { url, stop } = await world.start();
    expect(url).toBe(user.url);
    expect(await world.serverPid()).toBe(pid);
    await stop();
    await eventually(() => expect(isAlive(pid)).toBe(false));
  });

  test('the server goes on when its process is interrupted at the terminal', async () => {
    const user = await world.startUser({ inOwnGroup: true });
    const pid = await world.serverPid();
    await user.kill('SIGINT', 'its group');
    expect(await query(user.url, 'SELECT word FROM kept')).toBe('first');
    expect(await world.serverPid()).toBe(pid);
    await world.start();
  });
});
