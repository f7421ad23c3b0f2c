/** The worker as a process: stopped, stopped twice, killed twice in one job, and started before its stores. */
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createMigratedDatabase, type TestDatabase } from '../support/postgres/database.js';
import { type Jobs, openJobs } from '../faults/laboratory/jobs.js';
import { type EngineFaultProxy, startEngineFaultProxy } from '../support/engine/engine-fault-proxy.js';
import { createQueueChanges } from '../support/queue/queue-changes.js';
import { PREFIX } from '../../src/adapters/bullmq/names.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { type Service, startService } from '../support/service.js';
import { createTestContainers, type TestContainers } from '../support/engine/test-containers.js';

let containers: TestContainers;
let proxy: EngineFaultProxy;

beforeAll(async () => {
  containers = await createTestContainers(inject('engineSocket'));
  proxy = await startEngineFaultProxy({ engineSocket: inject('engineSocket') });
});
afterAll(async () => {
  await containers.clear();
  await proxy.close();
});

describe.each(['postgres', 'redis'] as const)('a worker on the %s queue', (store) => {
  let database: TestDatabase;
  let db: Client;
  let redis: TestRedis | undefined;
  let jobs: Jobs;
  let changes: ReturnType<typeof createQueueChanges>;
  let environment: Record<string, string>;
  const services: Service[] = [];

  beforeEach(async () => {
    proxy.use(() => undefined);
    database = await createMigratedDatabase();
    redis = store === 'redis' ? await startRedis() : undefined;
    db = new Client({ connectionString: database.url });
    await db.connect();
    jobs = await openJobs(store, redis?.url ?? database.url);
    environment = {
      DATABASE_URL: database.url,
      DOCKER_HOST: `unix://${proxy.socketPath}`,
      RTMANAGER_GAME_LEASE_TTL_SECONDS: '2',
      ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
    };
    changes = createQueueChanges({ ...environment, QUEUE_SPACE: PREFIX });
  });
  afterEach(async () => {
    await Promise.all(services.splice(0).map((service) => service.kill()));
    await jobs.close();
    await changes.close();
    await db.end();
    await database.drop();
    await redis?.stop();
    await containers.clear();
  });

  async function startWorker(more: Record<string, string> = {}): Promise<Service> {
    const worker = startService(['worker'], { ...environment, ...more });
    services.push(worker);
    await worker.logged('taking jobs');
    return worker;
  }

  /** A stopped game with a real container, and a job that asks for its cleanup. */
  async function askForCleanup(gameId: string): Promise<string> {
    const id = await containers.make('exited', { gameLabel: gameId });
    await db.query(
      `INSERT INTO runtime_records (game_id, status, current_container_id, stopped_at, last_op_at, created_at)
       VALUES ($1, 'stopped', $2, now(), now(), now())`,
      [gameId, id],
    );
    await jobs.ask({ gameId });
    return id;
  }

  const codesOf = async (gameId: string): Promise<string[]> =>
    (await db.query('SELECT error_code FROM operation_log WHERE game_id = $1 ORDER BY id', [gameId])).rows.map(
      (row: { error_code: string }) => row.error_code,
    );

  async function expectCleanedOnce(gameId: string, containerId: string, withinMs: number): Promise<void> {
    // A worker changes the record before it ends the job.
    await changes.untilQueue(
      async () => {
        const { rows } = await db.query('SELECT status, current_container_id FROM runtime_records WHERE game_id = $1', [
          gameId,
        ]);
        expect(rows).toEqual([{ status: 'removed', current_container_id: null }]);
      },
      { withinMs },
    );
    expect(await containers.stateOf(containerId)).toBe('missing');
    expect((await codesOf(gameId)).filter((code) => code === '')).toEqual(['']);
  }

  const requestSeen = (method: string): Promise<void> =>
    proxy.until(() => expect(proxy.requests().map((request) => request.method)).toContain(method));

  it('a worker cleans up, logs one line of it, and ends with 0 on SIGTERM', async () => {
    const worker = await startWorker();
    const id = await askForCleanup('game-1');
    expect(await worker.logged('cleanup succeeded')).toMatchObject({
      game_id: 'game-1',
      container_id: id,
      error_code: '',
    });
    await expectCleanedOnce('game-1', id, 5_000);
    worker.signal('SIGTERM');
    expect(await worker.exit).toBe(0);
  });

  it('a worker finishes its running job before it ends', async () => {
    proxy.use(({ method }) => (method === 'DELETE' ? { kind: 'delay', ms: 1_500 } : undefined));
    const worker = await startWorker();
    const id = await askForCleanup('game-1');
    await requestSeen('DELETE');
    worker.signal('SIGTERM');
    expect(await worker.exit).toBe(0);
    await expectCleanedOnce('game-1', id, 1_000);
  });

  it('a worker hands back a job that does not finish in time, releases its lease, and counts no attempt', async () => {
    proxy.use(({ method }) => (method === 'DELETE' ? { kind: 'hang' } : undefined));
    const worker = await startWorker({
      RTMANAGER_SHUTDOWN_TIMEOUT: '500ms',
      RTMANAGER_GAME_LEASE_TTL_SECONDS: '3600',
      RTMANAGER_CONFLICT_MAX_ATTEMPTS: '15',
    });
    const id = await askForCleanup('game-1');
    await requestSeen('DELETE');
    worker.signal('SIGTERM');
    expect(await worker.exit).toBe(0);
    expect(await codesOf('game-1')).toEqual([]);
    proxy.use(() => undefined);
    await startWorker();
    await expectCleanedOnce('game-1', id, 10_000);
  });

  it('a worker ends at once on a second signal', async () => {
    proxy.use(({ method }) => (method === 'DELETE' ? { kind: 'hang' } : undefined));
    const worker = await startWorker();
    await askForCleanup('game-1');
    await requestSeen('DELETE');
    worker.signal('SIGTERM');
    await worker.logged('stopping');
    worker.signal('SIGTERM');
    expect(await worker.exit).toBe(1);
  });

  // Killed once, at any step: `test/faults/crash.lab.test.ts`.
  it('a job whose worker is killed twice is finished by a third one', async () => {
    proxy.use(({ method, nth }) => (method === 'DELETE' && nth <= 2 ? { kind: 'hang' } : undefined));
    const first = await startWorker();
    const id = await askForCleanup('game-1');
    await requestSeen('DELETE');
    await first.kill();
    const second = await startWorker();
    await proxy.until(() => expect(proxy.requests().filter(({ method }) => method === 'DELETE')).toHaveLength(2), {
      withinMs: 25_000,
    });
    await second.kill();
    await startWorker();
    await expectCleanedOnce('game-1', id, 25_000);
  });
});

it('a command that cannot reach its database reports that and fails', async () => {
  const service = startService(['records'], { DATABASE_URL: 'postgresql://unknown@127.0.0.1:1/none' });
  expect(await service.exit).toBe(1);
  expect(service.stderr()).toMatch(/^runtime-cleanup: PostgreSQL is not available: .*ECONNREFUSED/m);
  expect(service.stdout()).toBe('');
});

it('a worker that waits for its database logs that, and ends with 0 on SIGTERM', async () => {
  const service = startService(['worker'], { DATABASE_URL: 'postgresql://unknown@127.0.0.1:1/none' });
  await service.logged('waiting for the database');
  service.signal('SIGTERM');
  expect(await service.exit).toBe(0);
});
