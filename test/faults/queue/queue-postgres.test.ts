/** The traps of BullMQ's young PostgreSQL store, each sprung on purpose. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { migrateQueueTables, openPostgresStore } from '../../../src/adapters/bullmq/store/postgres-store.js';
import { createCleanupQueue } from '../../../src/adapters/bullmq/producer/cleanup-queue.js';
import { createCleanupWorker } from '../../../src/adapters/bullmq/worker/cleanup-worker.js';
import type { QueueWorker } from '../../../src/adapters/bullmq/worker/queue-worker.js';
import { poolOptions } from '../../../src/adapters/postgres/pool.js';
import { systemClock } from '../../../src/async/clock.js';
import {
  completed,
  retryAfter,
  type ScriptedConsumer,
  scripted,
  abandonedByQueue,
} from '../../support/queue/queue-scripts.js';
import { type QueueSpace, startStore, type TestStore } from '../../support/queue/queue-stores.js';
import { withClient } from '../../support/queue/queue-clients.js';
import { createRecordingReport } from '../../support/queue/queue-report.js';
import { createDatabase } from '../../support/postgres/database.js';
import { eventually } from '../../support/eventually.js';

const request = (gameId: string) => ({ gameId, opSource: 'lobby_stream' });

const OURS = "application_name = 'queue-test'";

describe('on PostgreSQL', () => {
  let store: TestStore;
  let space: QueueSpace;
  const workers: QueueWorker[] = [];

  const startWorker = async (consumer: ScriptedConsumer, settings = {}): Promise<QueueWorker> => {
    const deps = { backend: space.backend, clock: systemClock, report: space.report, abandoned: abandonedByQueue };
    const worker = createCleanupWorker({ ...deps, consumer }, settings);
    workers.push(worker);
    await worker.start();
    return worker;
  };
  const waitingForLocks = () =>
    store.sql(
      `SELECT pid FROM pg_stat_activity WHERE ${OURS} AND wait_event_type = 'Lock' AND query ILIKE '%move_to%'`,
    );
  const overdue = async () => {
    const schema = space.env['QUEUE_SPACE'] ?? '';
    const due = `state = 'delayed' AND process_at_ms < extract(epoch FROM clock_timestamp()) * 1000`;
    return (await store.sql(`SELECT FROM ${schema}.job WHERE ${due}`)).length;
  };
  /** Hits the session that is writing a settlement; throws while there is none. */
  const strikeWriter = async (strike: string): Promise<void> => {
    const [writer] = await waitingForLocks();
    if (writer === undefined) throw new Error('nobody is writing');
    await store.sql(`SELECT ${strike}($1)`, [writer['pid']]);
    await eventually(async () => expect(await waitingForLocks()).not.toContainEqual(writer));
  };
  const failedReasons = async () => (await space.plain.getFailed(0, -1)).map(({ failedReason }) => failedReason);

  beforeAll(async () => {
    store = await startStore('postgres');
  });
  afterAll(() => store.stop());
  beforeEach(async () => {
    space = await store.space();
  });
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.stop({ graceMs: 0 })));
    await space.close();
  });

  it.each(['pg_terminate_backend', 'pg_cancel_backend'] as const)(
    'a success is written although %s strikes twice while it is being written, and the work is not done again',
    async (strike) => {
      const schema = space.env['QUEUE_SPACE'] ?? '';
      const job = await space.plain.add('cleanup_container', request('game-1'), { attempts: 1 });
      await withClient({ connectionString: space.env['DATABASE_URL'] ?? '' }, async (blocker) => {
        const consumer = scripted(async () => {
          await blocker.query('BEGIN');
          await blocker.query(`SELECT FROM ${schema}.job WHERE id = $1 FOR UPDATE`, [job.id]);
          return completed();
        });
        await startWorker(consumer);
        for (let struck = 0; struck < 2; struck++) {
          await eventually(() => strikeWriter(strike));
        }
        await blocker.query('ROLLBACK');
        await eventually(async () => expect(await job.getState()).toBe('completed'), { withinMs: 20_000 });
        expect(consumer.deliveries).toHaveLength(1);
      });
      expect(await space.plain.getJob(job.id ?? '')).toMatchObject({ attemptsStarted: 1, attemptsMade: 1 });
    },
    40_000,
  );

  it('no job fails although every session is ended again and again', async () => {
    const games = Array.from({ length: 60 }, (_, index) => `game-${index}`);
    const jobs = games.map((gameId) => ({ name: 'cleanup_container', data: request(gameId), opts: { attempts: 1 } }));
    await space.plain.addBulk(jobs);
    const strikes: Promise<unknown>[] = [];
    const consumer = scripted(({ run }) => {
      // Not awaited: it lands in the write that follows.
      if (run === 1) strikes.push(store.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${OURS}`));
      return completed();
    });
    await startWorker(consumer);
    await eventually(async () => expect(await space.plain.getCompletedCount()).toBe(60), { withinMs: 40_000 });
    await Promise.all(strikes);
    expect(space.report.of('unavailable').length).toBeGreaterThan(0);
    expect(await failedReasons()).toEqual([]);
  }, 60_000);

  it('a claim that is the victim of a deadlock fails no job', async () => {
    const schema = space.env['QUEUE_SPACE'] ?? '';
    for (const gameId of ['a', 'b'])
      await space.plain.add('cleanup_container', request(gameId), { delay: 1, jobId: gameId });
    await withClient({ connectionString: space.env['DATABASE_URL'] ?? '' }, async (rival) => {
      const touch = (id: string) => rival.query(`UPDATE ${schema}.job SET priority = priority WHERE id = $1`, [id]);
      await rival.query("SET deadlock_timeout = '1min'");
      await rival.query('BEGIN');
      await touch('b');
      // Both are due long since when the first claim moves them.
      await eventually(async () => expect(await overdue()).toBe(2));
      await startWorker(scripted());
      // The claim has taken "a" and waits for "b"; now the rival wants "a".
      await eventually(async () => expect(await waitingForLocks()).toHaveLength(1));
      await touch('a');
      await rival.query('COMMIT');
    });
    await eventually(async () => expect(await space.plain.getCompletedCount()).toBe(2), { withinMs: 20_000 });
    expect(space.report.of('fault').join()).toContain('deadlock detected');
    expect(await failedReasons()).toEqual([]);
  }, 40_000);

  it('many delayed jobs that fall due together all end completed', async () => {
    const games = Array.from({ length: 300 }, (_, index) => `game-${index}`);
    await space.plain.addBulk(games.map((gameId) => ({ name: 'cleanup_container', data: request(gameId) })));
    const answer = ({ run }: { readonly run: number }) =>
      run <= 3 ? retryAfter(50 + Math.random() * 300) : completed();
    await Promise.all([1, 2, 3].map(() => startWorker(scripted(answer), { concurrency: 4 })));
    await eventually(async () => expect(await space.plain.getCompletedCount()).toBe(300), { withinMs: 80_000 });
    expect(await failedReasons()).toEqual([]);
    const jobs = await space.plain.getCompleted(0, -1);
    expect(jobs.filter(({ attemptsStarted }) => attemptsStarted > 4)).toEqual([]);
  }, 120_000);

  it('a claim that must first move twenty thousand due jobs is not cut off', async () => {
    const schema = space.env['QUEUE_SPACE'] ?? '';
    await space.plain.add('cleanup_container', request('seed'), { delay: 60_000 });
    await store.sql(
      `INSERT INTO ${schema}.job (queue, id, seq, name, data, opts, state, added_at_ms, delay_ms, process_at_ms)
       SELECT queue, 'd' || n, seq + n, name, data, opts, state, added_at_ms, 1, 1 FROM ${schema}.job, generate_series(1, 20000) n`,
    );
    await startWorker(scripted());
    await eventually(async () => expect(await space.plain.getCompletedCount()).toBeGreaterThan(3), {
      withinMs: 50_000,
    });
    expect(space.report.lines).toEqual([]);
  }, 70_000);

  it('the end of the listening session alone is noticed and repaired', async () => {
    await startWorker(scripted());
    await space.plain.add('cleanup_container', request('game-1'));
    await eventually(async () => expect(await space.plain.getCompletedCount()).toBe(1));
    await store.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'LISTEN%' OR application_name ILIKE '%:w%'`,
    );
    await space.plain.add('cleanup_container', request('game-2'));
    await eventually(async () => expect(await space.plain.getCompletedCount()).toBe(2), { withinMs: 20_000 });
  }, 30_000);

  it('a role that may make nothing fails at once with the reason, and works once another has made the tables', async () => {
    const database = await createDatabase();
    const role = `poor_${Date.now()}`;
    await store.sql(`CREATE ROLE ${role} LOGIN`);
    await store.sql(`REVOKE CREATE ON DATABASE ${new URL(database.url).pathname.slice(1)} FROM PUBLIC`);
    const configFor = (username: string) => {
      const url = new URL(database.url);
      url.username = username;
      return poolOptions({ connectionString: url.href, applicationName: 'roles', max: 2 });
    };
    const open = () =>
      openPostgresStore({
        poolConfig: configFor(role),
        withClient: (work) => withClient(configFor(role), work),
        clock: systemClock,
        report: createRecordingReport(),
        deadlineMs: 30_000,
        signal: new AbortController().signal,
      });
    await expect(open()).rejects.toThrow(/permission denied/);

    await withClient(configFor(new URL(database.url).username), async (owner) => {
      await migrateQueueTables(owner);
      await owner.query(`GRANT USAGE, CREATE ON SCHEMA bullmq TO ${role}`);
      await owner.query(`GRANT ALL ON ALL TABLES IN SCHEMA bullmq TO ${role}`);
      await owner.query(`GRANT ALL ON ALL SEQUENCES IN SCHEMA bullmq TO ${role}`);
    });
    const queue = createCleanupQueue({ backend: await open(), clock: systemClock, report: createRecordingReport() });
    expect(await queue.enqueue([request('game-1')])).toMatchObject([{ state: 'waiting', coalesced: false }]);
    await queue.close();
    await database.drop();
    await store.sql(`DROP ROLE ${role}`);
  });
});
