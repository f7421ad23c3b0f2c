/** Every form of the address of one Redis, on a real server: TCP, IPv6, a socket, and logins with reserved characters. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRedis, untilReady } from '../../../src/adapters/redis/connection.js';
import { startRedis, type TestRedis } from '../../support/redis.js';

/** Every character that means something in a URL, and some that a URL must not have. */
const RESERVED = `:/?#[]@!$&'()*+,;=%25 "<>\\^\`{|}~é`;
const escaped = encodeURIComponent(RESERVED);
/** Nothing escaped but the percent sign. */
const raw = RESERVED.replaceAll('%', '%25');

let folder: string;
let server: TestRedis;
let admin: Redis;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'runtime-cleanup-socket-'));
  server = await startRedis({ settings: { bind: '127.0.0.1 ::1', unixsocket: join(folder, 'r.sock') } });
  admin = new Redis(server.url);
  await admin.call('ACL', 'SETUSER', 'app', 'on', `>${RESERVED}`, '~*', '+@all');
  await admin.call('ACL', 'SETUSER', 'a:b@c/d', 'on', '>secret', '~*', '+@all');
  await admin.call('ACL', 'SETUSER', 'open', 'on', 'nopass', '~*', '+@all');
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** `user/database` as the server sees this connection; PORT and SOCKET stand for those of the test's server. */
async function seenAs(address: string): Promise<string> {
  const url = address.replace('PORT', String(server.port)).replace('SOCKET', join(folder, 'r.sock'));
  const redis = createRedis({ url, role: 'commands', onError: () => undefined });
  try {
    await untilReady(redis, 3_000, new AbortController().signal);
    const info = await redis.client('INFO');
    return `${/ user=(\S+)/.exec(info)?.[1]}/${/ db=(\d+)/.exec(info)?.[1]}`;
  } finally {
    redis.disconnect();
  }
}

test.each([
  ['a host without a login', 'redis://localhost:PORT', 'default/0'],
  ['an IPv6 address', 'redis://[::1]:PORT/2', 'default/2'],
  ['a socket', 'unix://SOCKET?db=3', 'default/3'],
  ['a login at a socket', `unix://app:${escaped}@SOCKET`, 'app/0'],
  ['a database in the path', 'redis://127.0.0.1:PORT/7', 'default/7'],
  ['a password with every reserved character, escaped', `redis://app:${escaped}@127.0.0.1:PORT/1`, 'app/1'],
  ['the same password as it is, but for the percent sign', `redis://app:${raw}@127.0.0.1:PORT/1`, 'app/1'],
  ['the same password for an IPv6 address', `redis://app:${raw}@[::1]:PORT`, 'app/0'],
  ['a user with reserved characters', `redis://${encodeURIComponent('a:b@c/d')}:secret@127.0.0.1:PORT`, 'a:b@c/d/0'],
  ['a user without a password', 'redis://open:@127.0.0.1:PORT', 'open/0'],
  ['an empty login', 'redis://:@127.0.0.1:PORT', 'default/0'],
  ['a password that the user default does not need', 'redis://:unneeded@127.0.0.1:PORT', 'default/0'],
])('the address of Redis with %s leads to the right user and database', async (_form, address, expected) => {
  expect(await seenAs(address)).toBe(expected);
});

test('a password alone is that of the user default, with reserved characters too', async () => {
  await admin.config('SET', 'requirepass', RESERVED);
  expect(await seenAs(`redis://:${raw}@127.0.0.1:PORT`)).toBe('default/0');
  await expect(seenAs('redis://127.0.0.1:PORT')).rejects.toThrow(/NOAUTH/);
});
