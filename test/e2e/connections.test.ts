/** How many connections the processes open, and what they do when the server gives them fewer than they may open. */
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createMigratedDatabase, type TestDatabase } from '../support/postgres/database.js';
import { type Jobs, openJobs } from '../faults/laboratory/jobs.js';
import { type SlowEngine, startSlowEngine } from '../support/engine/slow-engine.js';
import { eventually } from '../support/eventually.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { type Service, startService } from '../support/service.js';

const JOBS = 24;
const AT_A_TIME = 8;
const REMOVAL_MS = 200;
const SAMPLE_MS = 40;

describe.each([
  // The limit of the role is the least that a worker can do with: the connections that it keeps, and one for each pool.
  {
    store: 'postgres',
    most: 10,
    roleLimit: 6,
    redisConnections: 0,
    commands: ['doctor', 'verify', 'dead-letters replay --all'],
  },
  { store: 'redis', most: 3, roleLimit: 2, redisConnections: 6, commands: ['doctor'] },
] as const)('with queue and leases in $store', ({ store, most, roleLimit, redisConnections, commands }) => {
  const role = `bounded_${store}_${process.pid}`;
  let database: TestDatabase;
  let admin: Client;
  let redis: TestRedis | undefined;
  let engine: SlowEngine;
  let jobs: Jobs;
  let environment: Record<string, string>;
  const services: Service[] = [];

  beforeAll(async () => {
    [database, engine] = await Promise.all([
      createMigratedDatabase(),
      startSlowEngine({ removalMs: REMOVAL_MS, together: AT_A_TIME }),
    ]);
    redis = store === 'redis' ? await startRedis() : undefined;
    admin = new Client({ connectionString: database.url });
    await admin.connect();
    const url = new URL(database.url);
    await admin.query(`CREATE ROLE ${role} LOGIN`);
    await admin.query(`GRANT CREATE ON DATABASE ${url.pathname.slice(1)} TO ${role}`);
    await admin.query(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role}`);
    await admin.query(`GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO ${role}`);
    url.username = role;
    environment = {
      DATABASE_URL: url.href,
      DOCKER_HOST: `unix://${engine.socketPath}`,
      RTMANAGER_INTERNAL_HTTP_ADDR: '127.0.0.1:0',
      RTMANAGER_WORKER_CONCURRENCY: String(AT_A_TIME),
      RTMANAGER_MAX_CONNECTIONS: String(most),
      RTMANAGER_CLEANUP_INTERVAL: '1s',
      ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
    };
  });
  afterEach(() => Promise.all(services.splice(0).map((service) => service.kill())));
  afterAll(async () => {
    await jobs.close();
    await admin.query(`DROP OWNED BY ${role}`);
    await admin.query(`DROP ROLE ${role}`);
    await admin.end();
    await database.drop();
    await Promise.all([engine.close(), redis?.stop()]);
  });

  const start = (...args: readonly string[]): Service => {
    const service = startService(args, environment);
    services.push(service);
    return service;
  };

  /** Adds stopped games, and jobs for them. */
  async function ask(prefix: string): Promise<void> {
    jobs ??= await openJobs(store, redis?.url ?? database.url);
    for (const [index, id] of engine.add(JOBS).entries()) {
      await admin.query(
        `INSERT INTO runtime_records (game_id, status, current_container_id, stopped_at, last_op_at, created_at)
         VALUES ($1, 'stopped', $2, now(), now(), now())`,
        [`${prefix}-${index}`, id],
      );
      await jobs.ask({ gameId: `${prefix}-${index}` });
    }
  }

  const connections = async (): Promise<number> => {
    const { rows } = await admin.query<{ open: number }>(
      'SELECT count(*)::int AS open FROM pg_stat_activity WHERE usename = $1',
      [role],
    );
    return rows[0]?.open ?? 0;
  };

  /** Beside those of this test: its queue's, and the one that asks. */
  async function connectionsOfRedis(): Promise<number> {
    if (redis === undefined) return 0;
    const client = new Redis(redis.url);
    const listed = String(await client.client('LIST'))
      .trim()
      .split('\n').length;
    client.disconnect();
    return listed - 2;
  }

  /** The most connections that were open at a time while the work ran. */
  async function mostOpen(work: Promise<unknown>): Promise<number> {
    const progress = { isDone: false };
    const ended = work.finally(() => Object.assign(progress, { isDone: true }));
    let open = 0;
    while (!progress.isDone) {
      open = Math.max(open, await connections());
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
    }
    await ended;
    return open;
  }

  const untilRemoved = (): Promise<void> =>
    eventually(
      async () => {
        expect(engine.remaining()).toBe(0);
        expect(await jobs.unfinished()).toEqual([]);
      },
      { withinMs: 60_000 },
    );

  it(`the whole service stays within RTMANAGER_MAX_CONNECTIONS=${most}`, async () => {
    const service = start('serve');
    const open = await mostOpen(
      (async () => {
        const { port } = await service.logged('listening');
        await service.logged('taking jobs');
        await ask('full');
        const api = `http://127.0.0.1:${String(port)}`;
        const requests = ['/readyz', '/admin', '/api/v1/dead-letters', '/metrics'].map((path) =>
          fetch(`${api}${path}`),
        );
        await Promise.all([untilRemoved(), ...requests]);
      })(),
    );
    expect(open).toBeLessThanOrEqual(most);
    expect(await connectionsOfRedis()).toBe(redisConnections);
    service.signal('SIGTERM');
    expect(await service.exit).toBe(0);
  }, 90_000);

  it('the commands stay within the setting', async () => {
    for (const args of commands) {
      const command = start(...args.split(' '));
      expect([args, (await mostOpen(command.exit)) <= most]).toEqual([args, true]);
      expect([args, await command.exit]).not.toEqual([args, 2]);
      expect(command.stderr()).not.toMatch(/too many connections|timeout/);
    }
  }, 90_000);

  it(`a worker of ${AT_A_TIME} jobs at a time does all of them when its role may have ${roleLimit} connections`, async () => {
    await admin.query(`ALTER ROLE ${role} CONNECTION LIMIT 0`);
    const worker = start('worker');
    expect((await worker.logged('waiting for the database'))['reason']).toMatch(
      /too many connections for role .*; no connection is free: .* raise the limit .* or lower RTMANAGER_MAX_CONNECTIONS/,
    );
    await admin.query(`ALTER ROLE ${role} CONNECTION LIMIT ${roleLimit}`);
    await worker.logged('taking jobs');
    await ask('few');
    expect(await mostOpen(untilRemoved())).toBeLessThanOrEqual(roleLimit);
    expect((await jobs.all()).filter(({ state }) => state === 'failed')).toEqual([]);
    worker.signal('SIGTERM');
    expect(await worker.exit).toBe(0);
  }, 120_000);
});
