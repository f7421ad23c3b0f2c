import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { isCluster } from '../../../src/adapters/redis/cluster-masters.js';
import { createRedis } from '../../../src/adapters/redis/connection.js';
import { createRedisLeaseStore } from '../../../src/adapters/redis/lease-store.js';
import { createConnectionFamily } from '../../../src/adapters/redis/renewal.js';
import { eventually } from '../../support/eventually.js';
import { startRedis, type TestRedis } from '../../support/redis.js';
import { createManualClock } from '../../support/manual-clock.js';

type Client = ReturnType<typeof createRedis>;

const clock = createManualClock();
let server: TestRedis;
let admin: Redis;
let commands: Client;
let blocking: Client;

const ready = (client: Client): Promise<unknown> => eventually(() => client.ping());
const becomeReplica = (): Promise<unknown> => admin.replicaof('127.0.0.1', 1);
const becomePrimary = (): Promise<unknown> => admin.replicaof('NO', 'ONE');

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
  const family = createConnectionFamily(clock);
  const onError = (): void => undefined;
  commands = createRedis({ url: server.url, role: 'commands', onError, family });
  blocking = createRedis({ url: server.url, role: 'blocking', onError, family });
});
beforeEach(async () => {
  await becomePrimary();
  await Promise.all([ready(commands), ready(blocking)]);
  await clock.advance(1_000);
});
afterAll(async () => {
  for (const client of [commands, blocking, admin]) client.disconnect();
  await server.stop();
});

/** Resolves to the client's number at the server, which is another one for each connection. */
async function connectionOf(client: Client): Promise<unknown> {
  await ready(client);
  return client.client('ID');
}

const WRITE = "return redis.call('SET', KEYS[1], 'x')";

test.each<readonly [what: string, write: () => Promise<unknown>]>([
  ['a command', () => commands.set('key', 'x')],
  ['a script', () => commands.eval(WRITE, 1, 'key')],
  ['a cached script', async () => commands.evalsha(String(await admin.script('LOAD', WRITE)), 1, 'key')],
  ['a command of a pipeline', async () => firstError(await commands.pipeline().get('key').set('key', 'x').exec())],
  ['a command of a transaction', () => commands.multi().set('key', 'x').exec()],
])(
  'a connection whose server refuses %s as a replica is made anew, and the command is not sent again',
  async (_what, write) => {
    await admin.del('key');
    const before = await connectionOf(commands);
    await becomeReplica();
    await expect(write()).rejects.toThrow(/READONLY|EXECABORT/);
    await becomePrimary();
    expect(await connectionOf(commands)).not.toBe(before);
    expect(await admin.exists('key')).toBe(0);
  },
);

function firstError(results: readonly (readonly [Error | null, unknown])[] | null): void {
  for (const [error] of results ?? []) if (error !== null) throw error;
}

test('the other connections of the family, and duplicates of them, are made anew, too', async () => {
  if (isCluster(blocking)) throw new TypeError('one server is no cluster');
  const duplicate = blocking.duplicate();
  const members = [blocking, duplicate];
  const before = await Promise.all(members.map(connectionOf));
  await becomeReplica();
  await expect(commands.set('key', 'x')).rejects.toThrow(/READONLY/);
  const after = await Promise.all(members.map(connectionOf));
  expect(after.filter((id) => before.includes(id))).toEqual([]);
  duplicate.disconnect();
});

test('connections are made anew at most once a second, then all of them, however many commands are refused', async () => {
  await becomeReplica();
  await expect(commands.set('key', 'x')).rejects.toThrow(/READONLY/);
  const before = await Promise.all([connectionOf(commands), connectionOf(blocking)]);
  await expect(commands.set('key', 'x')).rejects.toThrow(/READONLY/);
  await expect(commands.set('key', 'x')).rejects.toThrow(/READONLY/);
  expect(await Promise.all([connectionOf(commands), connectionOf(blocking)])).toEqual(before);
  await clock.advance(1_000);
  const after = await Promise.all([connectionOf(commands), connectionOf(blocking)]);
  expect(after.filter((id) => before.includes(id))).toEqual([]);
});

test('a lease that a replica refused is not acquired when the server is a primary again', async () => {
  const store = createRedisLeaseStore({ redis: commands });
  await becomeReplica();
  await expect(store.acquire('game-1', 'token', 10_000)).rejects.toThrow(/could not acquire the game lease: READONLY/);
  await becomePrimary();
  await ready(commands);
  expect(await store.release('game-1', 'token')).toBe(false);
  expect(await store.acquire('game-1', 'other', 1_000)).toBe(true);
});

test('the error of a refused login names no command and no password', async () => {
  await admin.call('ACL', 'SETUSER', 'other', 'on', '>right-password', '~*', '+@all');
  const url = server.url.replace('redis://', 'redis://other:wrong-password@');
  const error = await new Promise<Error>((resolve) => {
    const client = createRedis({
      url,
      role: 'commands',
      onError: (thrown) => {
        client.disconnect();
        resolve(thrown);
      },
    });
  });
  expect(error.message).toMatch(/WRONGPASS/);
  expect(error).not.toHaveProperty('command');
});
