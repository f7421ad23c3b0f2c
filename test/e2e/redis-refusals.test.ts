/**
 * `serve` on a Redis that answers reads and refuses writes or logins: after a failover, when it is full, when its disk is full,
 * when a right or the password was changed. Jobs are held, `/readyz` is red, no job becomes a dead letter, and work goes on by
 * itself.
 */
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Jobs, openJobs } from '../faults/laboratory/jobs.js';
import { eventually } from '../support/eventually.js';
import { createMigratedDatabase, type TestDatabase } from '../support/postgres/database.js';
import { startRedis } from '../support/redis.js';
import { type RedisPair, startRedisPair } from '../support/network/redis-pair.js';
import { type Service, startService } from '../support/service.js';

/** The promise of docs/failures.md. */
const RECOVERED_WITHIN_MS = 10_000;
/** For a machine that is busy with other tests. */
const NOTICED_WITHIN_MS = 20_000;

interface Platform {
  readonly service: Service;
  readonly jobs: Jobs;
  /** Requests the cleanups of games without containers. */
  readonly ask: (...gameIds: readonly string[]) => Promise<void>;
  readonly untilReady: () => Promise<void>;
  /** The named checks of `/readyz` fail; others may, because connections are made anew. */
  readonly untilRed: (...checks: readonly string[]) => Promise<void>;
  readonly untilAllDone: (withinMs: number) => Promise<void>;
  readonly codes: () => Promise<readonly string[]>;
  readonly end: () => Promise<void>;
}

interface Addresses {
  /** For the program. */
  readonly redisUrl: string;
  /** For the test's own client. */
  readonly jobsUrl: string;
}

async function startPlatform({ redisUrl, jobsUrl }: Addresses): Promise<Platform> {
  const database: TestDatabase = await createMigratedDatabase();
  const db = new Client({ connectionString: database.url });
  await db.connect();
  const jobs = await openJobs('redis', jobsUrl);
  const service = startService(['serve'], {
    DATABASE_URL: database.url,
    REDIS_URL: redisUrl,
    DOCKER_HOST: `unix://${inject('engineSocket')}`,
    RTMANAGER_INTERNAL_HTTP_ADDR: '127.0.0.1:0',
  });
  const { port } = await service.logged('listening');
  await service.logged('taking jobs');

  const failedChecks = async (): Promise<readonly string[]> => {
    const answer = await fetch(`http://127.0.0.1:${Number(port)}/readyz`);
    const { checks } = (await answer.json()) as { checks: { name: string; ok: boolean; detail: string }[] };
    return checks.filter(({ ok }) => !ok).map(({ name }) => name);
  };
  const untilFailed = (expected: unknown): Promise<void> =>
    eventually(async () => expect(await failedChecks()).toEqual(expected), { withinMs: NOTICED_WITHIN_MS });
  return {
    service,
    jobs,
    untilRed: (...names) => untilFailed(expect.arrayContaining([...names])),
    untilReady: () => untilFailed([]),
    ask: async (...gameIds) => {
      await db.query(
        `INSERT INTO runtime_records (game_id, status, stopped_at, last_op_at, created_at)
         SELECT game_id, 'stopped', now(), now(), now() FROM unnest($1::text[]) AS game_id`,
        [gameIds],
      );
      await Promise.all(gameIds.map((gameId) => jobs.ask({ gameId })));
    },
    untilAllDone: (withinMs) =>
      eventually(
        async () => {
          const states = (await jobs.all()).map(({ gameId, state }) => ({ gameId, state }));
          expect(states.filter(({ state }) => state !== 'completed')).toEqual([]);
        },
        { withinMs },
      ),
    codes: async () => {
      const { rows } = await db.query<{ code: string }>('SELECT DISTINCT error_code AS code FROM operation_log');
      return rows.map(({ code }) => code);
    },
    end: async () => {
      await service.kill();
      await jobs.close();
      await db.end();
      await database.drop();
    },
  };
}

const games = (name: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${name}-${index}`);

describe('serve after a failover of Redis that keeps old connections open', () => {
  let pair: RedisPair;
  let platform: Platform;

  beforeAll(async () => {
    pair = await startRedisPair();
    platform = await startPlatform({ redisUrl: pair.url, jobsUrl: pair.primaryUrl });
  });
  afterAll(async () => {
    await platform.end();
    await pair.stop();
  });

  it('readiness is red while the address leads to the replica; then twenty jobs are done within ten seconds', async () => {
    await platform.ask(...games('before', 3));
    await platform.untilAllDone(NOTICED_WITHIN_MS);
    await platform.untilReady();

    await pair.failOver();
    await platform.untilRed('queue', 'leases');
    await platform.ask(...games('after', 20));

    pair.switchAddress('kept');
    await platform.untilAllDone(RECOVERED_WITHIN_MS);
    await platform.untilReady();
    expect(await platform.codes()).not.toContain('internal_error');
    expect(platform.service.lines().filter(({ msg }) => msg === 'queue fault')).toEqual([]);
  });
});

type Trouble = readonly [
  name: string,
  whom: 'refuses all' | 'refuses the program',
  begin: () => Promise<unknown>,
  end: () => Promise<unknown>,
];

describe('serve on a Redis that refuses writes or logins', () => {
  const [OLD, NEW] = ['first-Password-1', 'second-Password-2'];
  let server: Awaited<ReturnType<typeof startRedis>>;
  let admin: Redis;
  let platform: Platform;

  const set = (name: string, value: string | number): Promise<unknown> => admin.config('SET', name, value);

  beforeAll(async () => {
    server = await startRedis();
    admin = new Redis(server.url);
    admin.on('error', () => undefined);
    await set('requirepass', OLD);
    // The rights of the program, which the test takes away; its own clients have another user.
    await admin.call('ACL', 'SETUSER', 'test', 'on', '>test', '~*', '&*', '+@all');
    await admin.auth('test', 'test');
    const [, place = ''] = server.url.split('//');
    platform = await startPlatform({ redisUrl: `redis://:${OLD}@${place}`, jobsUrl: `redis://test:test@${place}` });
  });
  afterAll(async () => {
    await platform.end();
    admin.disconnect();
    await server.stop();
  });

  it.each<Trouble>([
    ['too few replicas', 'refuses all', () => set('min-replicas-to-write', 1), () => set('min-replicas-to-write', 0)],
    ['a full memory', 'refuses all', () => set('maxmemory', 1), () => set('maxmemory', 0)],
    [
      'a right that was taken away',
      'refuses the program',
      () => admin.call('ACL', 'SETUSER', 'default', '-set', '-eval', '-evalsha'),
      () => admin.call('ACL', 'SETUSER', 'default', '+@all'),
    ],
    [
      'a rotated password',
      'refuses the program',
      async () => {
        await set('requirepass', NEW);
        await admin.client('KILL', 'USER', 'default');
      },
      () => set('requirepass', OLD),
    ],
  ])('readiness is red during %s, and jobs are done when it is over', async (name, whom, begin, end) => {
    await platform.untilReady();
    await begin();
    await platform.untilRed('queue', 'leases');
    if (whom === 'refuses the program') await platform.ask(...games(name, 3));
    await end();
    if (whom === 'refuses all') await platform.ask(...games(name, 3));
    await platform.untilAllDone(NOTICED_WITHIN_MS);
    await platform.untilReady();
    expect(await platform.codes()).not.toContain('internal_error');
    expect(platform.service.lines().filter(({ msg }) => msg === 'queue fault')).toEqual([]);
    expect(platform.service.stdout() + platform.service.stderr()).not.toMatch(new RegExp(`${OLD}|${NEW}`));
  });
});
