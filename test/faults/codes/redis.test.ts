/** Leases in a Redis that cannot grant them, for each reason that Redis has. */
// oxlint-disable vitest/no-standalone-expect -- `provokes` defines the test
import { Redis } from 'ioredis';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { leaseKey } from '../../../src/adapters/redis/lease-store.js';
import { eventually } from '../../support/eventually.js';
import { startRedis, type TestRedis } from '../../support/redis.js';
import { startTcpFaultProxy, type TcpFaultProxy } from '../../support/network/tcp-fault-proxy.js';
import { provokes } from './catalogue/provokes.js';
import type { Ended, Moments, Rig } from './rig.js';
import { type Game, openSite, type Site } from './site.js';

let site: Site;
let server: TestRedis;
let proxy: TcpFaultProxy;
/** The administrator's own connection, and one on which an endless script may run. */
let admin: Redis;
let looper: Redis;
let rig: Rig;
beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site.stop());
beforeEach(async () => {
  server = await startRedis();
  proxy = await startTcpFaultProxy({ port: server.port });
  [admin, looper] = [new Redis(server.url), new Redis(server.url)];
  for (const client of [admin, looper]) {
    client.on('error', () => undefined);
    await client.ping();
  }
  rig = await site.rig({ redisUrl: proxy.urlFor(server.url), leaseTtlMs: 2_000 });
});
afterEach(async () => {
  admin.disconnect();
  looper.disconnect();
  await proxy.close();
  await server.stop();
  await site.containers.clear();
});

/** Without a lease no step is made: the record is not even taken. */
const expectUntouched = async ({ gameId }: Game): Promise<void> => {
  const { rows } = await site.pool.query('SELECT status, lease_epoch FROM runtime_records WHERE game_id = $1', [
    gameId,
  ]);
  expect(rows).toEqual([{ status: 'stopped', lease_epoch: '0' }]);
};

const refused = async (): Promise<Ended> => {
  const game = await site.bareGame();
  const ended = await rig.run(game.job());
  await expectUntouched(game);
  return ended;
};
const after = (setUp: () => Promise<unknown>) => async (): Promise<Ended> => {
  await setUp();
  return refused();
};
const says = (words: string): RegExp =>
  new RegExp(`^the lease could not be acquired: Redis could not acquire the game lease: ${words}`);

provokes('redis-away', says('no connection: connect ECONNREFUSED 127\\.0\\.0\\.1:\\d+$'), async () => {
  const direct = await site.rig({ redisUrl: server.url });
  await server.kill();
  const game = await site.bareGame();
  // The very first refusal may come before the client has tried to reconnect, and knows of no reason yet.
  return eventually(async () => {
    const ended = await direct.run(game.job());
    expect(ended.message).toMatch(/ECONNREFUSED/);
    await expectUntouched(game);
    return ended;
  });
});

provokes('redis-reset', says('(Reached the max retries|Connection is closed)'), async () => {
  const game = await site.bareGame();
  await proxy.use('blackhole');
  // The question is on the wire when `run` returns.
  const running = rig.run(game.job());
  proxy.resetConnections();
  const ended = await running;
  await expectUntouched(game);
  return ended;
});

const SILENCE = /the lease could not be acquired: (the lease store did not answer|Redis .*Command timed out)/;
provokes(
  'redis-silent',
  SILENCE,
  after(async () => server.freeze()),
  'frozen',
);
provokes(
  'redis-silent',
  SILENCE,
  after(() => admin.call('CLIENT', 'PAUSE', '30000', 'WRITE')),
  'CLIENT PAUSE',
);

const configured = (...settings: readonly string[]) => after(() => admin.call('CONFIG', 'SET', ...settings));
provokes('redis-out-of-memory', says('OOM command not allowed'), configured('maxmemory', '1'));
provokes('redis-too-few-replicas', says('NOREPLICAS'), configured('min-replicas-to-write', '1'));
provokes(
  'redis-replica',
  says("READONLY You can't write against a read only replica"),
  after(() => admin.replicaof('127.0.0.1', 1)),
);

provokes(
  'redis-cannot-save',
  says('MISCONF Redis is configured to save RDB snapshots'),
  after(async () => {
    const [, folder = ''] = await admin.config('GET', 'dir');
    mkdirSync(join(folder, 'dump.rdb'));
    await admin.config('SET', 'save', '3600 1');
    await admin.bgsave();
    await eventually(async () => expect(await admin.info('persistence')).toMatch(/rdb_last_bgsave_status:err/));
  }),
);

provokes(
  'redis-busy-script',
  says('BUSY Redis is busy running a script'),
  after(async () => {
    await admin.config('SET', 'lua-time-limit', '50');
    void looper.eval('while true do end', 0).catch(() => undefined);
    await eventually(() => expect(admin.ping()).rejects.toThrow(/BUSY/));
  }),
);

provokes(
  'redis-acl',
  says('NOPERM'),
  after(() => admin.call('ACL', 'SETUSER', 'default', '-set')),
);

provokes('redis-wants-password', says('no connection: .*NOAUTH'), async () => {
  await admin.config('SET', 'requirepass', 'secret');
  proxy.resetConnections();
  const game = await site.bareGame();
  // The first refusals may still tell of the connection that was reset.
  return eventually(async () => {
    const ended = await rig.run(game.job());
    expect(ended.message).toMatch(/NOAUTH/);
    await expectUntouched(game);
    return ended;
  });
});

provokes('redis-loading', says('LOADING'), async () => {
  // It is given the data of another server, and takes its time over each key.
  const source = await startRedis();
  const sourceAdmin = new Redis(source.url);
  await sourceAdmin.eval(`for i = 1, 5000 do redis.call('SET', 'key-' .. i, i) end`, 0);
  await admin.config('SET', 'replica-read-only', 'no');
  await admin.config('SET', 'key-load-delay', '1000');
  await admin.config('SET', 'loading-process-events-interval-bytes', '1024');
  await admin.replicaof('127.0.0.1', source.port);
  await eventually(() => expect(admin.ping()).rejects.toThrow(/LOADING/));
  const ended = await refused();
  sourceAdmin.disconnect();
  await source.stop();
  return ended;
});

provokes('redis-foreign-key', /another operation holds the lease of this game/, async () => {
  const game = await site.bareGame();
  await admin.lpush(leaseKey(game.gameId), 'what is this');
  const ended = await rig.run(game.job());
  await expectUntouched(game);
  return ended;
});

/** Something befalls Redis when the container has been looked at, and the next step waits until the lease is lost. */
const losing = async (befalls: () => unknown): Promise<Ended> => {
  const game = await site.game();
  const moments: Moments = {
    looked: async (signal) => {
      await befalls();
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    },
  };
  const ended = await rig.run(game.job(), moments);
  expect(await site.containers.stateOf(game.containerId)).toBe('created');
  return ended;
};

provokes('redis-emptied', /^the store says that it ran out or that another token holds it; nothing was changed$/, () =>
  losing(() => admin.flushall()),
);
provokes(
  'redis-silent-during-cleanup',
  /^it was not confirmed in time to be trusted any longer; the last renewal failed: .+; nothing was changed$/,
  () => losing(() => server.freeze()),
);
