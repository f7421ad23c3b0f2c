/** A day's work with exactly the rights that `docs/operations.md` gives to each user of Redis. */
import { Queue, QueueEvents } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRedis, untilReady } from '../../../src/adapters/redis/connection.js';
import { createRedisLeaseStore } from '../../../src/adapters/redis/lease-store.js';
import { checkDependencies } from '../../../src/app/doctor/doctor.js';
import { composeCore } from '../../../src/app/compose-core.js';
import { type Context, oneShotContext } from '../../../src/app/context.js';
import { verifyInvariants } from '../../../src/app/verify.js';
import { ConfigurationError } from '../../../src/domain/errors.js';
import { eventually } from '../../support/eventually.js';
import { createMigratedDatabase, type TestDatabase } from '../../support/postgres/database.js';
import { documentedRules, type RedisRule } from './documented-rules.js';
import { startRedis, type TestRedis } from '../../support/redis.js';
import { type EmptyEngine, type Environment, sessionOf, start, startEmptyEngine } from './redis-world.js';

const signal = new AbortController().signal;
const rules = new Map(documentedRules().map((rule) => [rule.user, rule]));

let server: TestRedis;
let admin: Redis;
let database: TestDatabase;
let engine: EmptyEngine;

const ruleOf = (user: string): RedisRule => rules.get(user) as RedisRule;
const urlOf = (user: string): string => `redis://${user}:${ruleOf(user).password}@127.0.0.1:${server.port}`;
const giveRights = (user: string, words = ruleOf(user).words) => admin.call('ACL', 'SETUSER', user, 'reset', ...words);

const environmentOf = (user: string): Environment => ({
  DATABASE_URL: database.url,
  REDIS_URL: urlOf(user),
  DOCKER_HOST: engine.url,
  RTMANAGER_CLEANUP_INTERVAL: '1s',
});
const commandOf = (user: string): Context => oneShotContext(sessionOf(environmentOf(user)));

const denied = async (): Promise<readonly string[]> => {
  const entries = (await admin.call('ACL', 'LOG')) as readonly (readonly unknown[])[];
  return entries.map((entry) => `${String(entry[9])}: ${String(entry[3])} ${String(entry[7])}`);
};

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
  [database, engine] = await Promise.all([createMigratedDatabase(), startEmptyEngine()]);
});
afterAll(async () => {
  admin.disconnect();
  engine.close();
  await database.drop();
  await server.stop();
});
beforeEach(async () => {
  for (const user of rules.keys()) await giveRights(user);
  await admin.call('ACL', 'LOG', 'RESET');
});

describe('a Redis user with the documented rights', () => {
  test('worker, API, producer, verify and a service of games do a day of work, and Redis denies nothing', async () => {
    const worker = await start('worker', environmentOf('worker'));
    const api = await start('api', environmentOf('api'));
    // Repeated, because on a slow machine an answer may take longer than the API waits.
    const answers = (expected: number, method: string, path: string, more: RequestInit = {}): Promise<void> =>
      eventually(async () => {
        expect((await fetch(`${api.origin}${path}`, { method, ...more })).status).toBe(expected);
      });
    const letters = '/api/v1/internal/dead-letters';

    const connection = { url: urlOf('producer') };
    const queue = new Queue('runtime-cleanup', { connection, prefix: '{rtmanager}' });
    const events = new QueueEvents('runtime-cleanup', { connection, prefix: '{rtmanager}' });
    await events.waitUntilReady();
    const job = await queue.add('cleanup_container', { gameId: 'unknown', opSource: 'lobby_stream' });
    await expect(job.waitUntilFinished(events, 20_000)).rejects.toThrow(/not_found/);
    await Promise.all([queue.close(), events.close()]);

    await answers(200, 'GET', letters);
    await answers(200, 'GET', `/admin/queues/api/queues/runtime-cleanup/${job.id}/logs`);
    const headers = { 'content-type': 'application/json' };
    await answers(200, 'POST', `${letters}/replay`, { headers, body: '{"code":"not_found"}' });
    // It fails again before it can be purged.
    await answers(204, 'DELETE', `${letters}/${job.id}`);
    const unknown = '/api/v1/internal/runtimes/unknown';
    await answers(404, 'DELETE', `${unknown}/container`, { headers: { Prefer: 'wait=5' } });
    await answers(404, 'POST', `${unknown}/reopen`);
    await answers(200, 'GET', '/api/v1/internal/retention/plan');
    await answers(200, 'GET', '/admin');
    for (const shown of ['runtime-cleanup', 'runtime-retention']) {
      await answers(200, 'GET', `/admin/queues/api/queues?activeQueue=${shown}&status=latest&page=1`);
    }
    await answers(200, 'GET', '/readyz');

    const core = composeCore(commandOf('api'));
    await core.connectDatabase();
    await core.connectQueueStore();
    await core.queues.producer.enqueue(['a', 'b'].map((gameId) => ({ gameId, opSource: 'operator_cli' })));
    // The worker sweeps too, and one sweep runs at a time.
    await eventually(async () => expect((await core.retention.sweep({ signal })).status).toBe('done'));
    await core.close();

    const games = createRedis({ url: urlOf('games'), role: 'commands', onError: () => undefined });
    await untilReady(games, 5_000, signal);
    const leases = createRedisLeaseStore({ redis: games });
    expect(await leases.acquire('game', 'token', 60_000)).toBe(true);
    expect(await leases.renew('game', 'token', 60_000)).toBe(true);

    const reports = [];
    for await (const report of verifyInvariants(commandOf('verify'), { patienceMs: 1_500 })) {
      if (['lease_has_end', 'active_has_worker', 'dead_letter_has_reason'].includes(report.name)) {
        reports.push([report.name, report.status]);
      }
    }
    expect(reports).toEqual([
      ['lease_has_end', 'holds'],
      ['active_has_worker', 'holds'],
      ['dead_letter_has_reason', 'holds'],
    ]);
    expect(await leases.release('game', 'token')).toBe(true);
    games.disconnect();

    const found = [];
    for await (const { name, status } of checkDependencies(commandOf('api'))) {
      if (['redis', 'leases'].includes(name)) found.push([name, status]);
    }
    expect(found).toEqual([
      ['redis', 'ok'],
      ['leases', 'ok'],
    ]);
    await api.stop();
    await worker.stop();
    // A service of games has no INFO, which only the client library asks for.
    expect((await denied()).filter((line) => line !== 'games: command info')).toEqual([]);
  });

  test.each([
    ['flushall'],
    ['keys', '*'],
    ['config', 'get', '*'],
    ['publish', 'channel', 'text'],
    ['get', 'other'],
    ['client', 'list'],
  ])('a documented user may not run %s %s', async (...command) => {
    for (const { user, password } of rules.values()) {
      const client = new Redis(server.url, { username: user, password, enableReadyCheck: false });
      const [name = '', ...args] = command;
      await expect(client.call(name, ...args)).rejects.toThrow(/NOPERM/);
      client.disconnect();
    }
  });
});

describe('a Redis user without a needed right', () => {
  const WHOLE_RULE =
    'the whole rule: ACL SETUSER worker resetkeys ~{rtmanager}:* ~rtmanager:game_lease:* resetchannels -@all +@read +@write +@connection -@dangerous +eval +evalsha +info +multi +exec';

  test.each([
    [['-eval'], 'the command eval'],
    [['-evalsha'], 'the command evalsha'],
    [['-lpos'], 'the command lpos'],
    [['-@write'], 'the command del'],
    [['-bzpopmin'], 'the command bzpopmin'],
    [['resetkeys', '~rtmanager:game_lease:*'], 'the keys {rtmanager}:runtime-cleanup:*'],
    [
      ['resetkeys', '~{rtmanager}:runtime-cleanup:*', '~rtmanager:game_lease:*'],
      'the keys {rtmanager}:runtime-retention:*',
    ],
    [['resetkeys', '~{rtmanager}:*'], 'the keys rtmanager:game_lease:*'],
    [['nocommands'], 'the command eval'],
  ])('a worker with %s stops at the start and names what is missing and the whole rule', async (less, missing) => {
    await giveRights('worker', [...ruleOf('worker').words, ...less]);
    const started = start('worker', environmentOf('worker'));
    await expect(started).rejects.toBeInstanceOf(ConfigurationError);
    await expect(started).rejects.toThrow(`Redis does not allow its user "worker" ${missing}; ${WHOLE_RULE}`);
    expect(await admin.keys('*rights-check*')).toEqual([]);
  });

  test('the doctor names the missing right, and gives no other advice', async () => {
    await giveRights('api', [...ruleOf('api').words, '-eval']);
    const failed = [];
    for await (const check of checkDependencies(commandOf('api'))) {
      if (check.status === 'failed' && check.name !== 'engine') failed.push(check);
    }
    const detail = expect.stringMatching(/^Redis does not allow its user "api" the command eval; the whole rule: /);
    expect(failed).toEqual([
      { name: 'queue', status: 'failed', detail },
      { name: 'leases', status: 'failed', detail },
    ]);
  });

  test('a worker without INFO and CONFIG runs, and the doctor warns that the policy is unknown', async () => {
    for (const user of ['worker', 'api']) await giveRights(user, [...ruleOf(user).words, '-info']);
    const { stop } = await start('worker', environmentOf('worker'));
    await stop();
    const redis = [];
    for await (const check of checkDependencies(commandOf('api'))) {
      if (check.name === 'redis') redis.push(check);
    }
    expect(redis).toMatchObject([
      { status: 'warn', detail: expect.stringContaining('does not report its maxmemory-policy') },
    ]);
  });
});
