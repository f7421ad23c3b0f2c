/** The known faults of BullMQ's PostgreSQL store, each provoked on purpose. */
import { describe, expect, it } from 'vitest';
import { openPostgresStore } from '../../../src/adapters/bullmq/store/postgres-store.js';
import { migrateQueueTables } from '../../../src/adapters/bullmq/store/queue-tables.js';
import { createCleanupQueue } from '../../../src/adapters/bullmq/producer/cleanup-queue.js';
import { systemClock } from '../../../src/async/clock.js';
import { completed, retryAfter, scripted } from '../../support/queue/queue-scripts.js';
import { requestFor, useQueueWorld } from '../../support/queue/queue-world.js';
import { CHANGES_SESSION } from '../../support/queue/queue-changes.js';
import { queuePool, withClient } from '../../support/queue/queue-clients.js';
import { createRecordingReport } from '../../support/queue/queue-report.js';
import { createDatabase } from '../../support/postgres/database.js';
import { eventually } from '../../support/eventually.js';

/** Sessions of this file's database; other tests use the same server at the same time. */
const OF_THE_WORKER = "datname = current_database() AND application_name = 'queue-test'";

describe('a cleanup worker on PostgreSQL', () => {
  const world = useQueueWorld('postgres');
  const { add, startCleanupWorker: startWorker, untilCompleted } = world;
  const jobTable = () => `${world.space.env['QUEUE_SPACE'] ?? ''}.job`;
  const waitingForLocks = () =>
    world.store.sql(
      `SELECT pid FROM pg_stat_activity WHERE ${OF_THE_WORKER} AND wait_event_type = 'Lock' AND query ILIKE '%move_to%'`,
    );
  const overdue = async () => {
    const due = `state = 'delayed' AND process_at_ms < extract(epoch FROM clock_timestamp()) * 1000`;
    return (await world.store.sql(`SELECT FROM ${jobTable()} WHERE ${due}`)).length;
  };
  /** Ends or cancels the session that writes an outcome; throws while there is none. */
  const strikeWriter = async (strike: string): Promise<void> => {
    const [writer] = await waitingForLocks();
    if (writer === undefined) throw new Error('no session writes an outcome');
    await world.store.sql(`SELECT ${strike}($1)`, [writer['pid']]);
    await eventually(async () => expect(await waitingForLocks()).not.toContainEqual(writer));
  };
  const failedReasons = async () => (await world.space.plain.getFailed(0, -1)).map(({ failedReason }) => failedReason);

  it.each(['pg_terminate_backend', 'pg_cancel_backend'] as const)(
    'a success is written although %s strikes twice while it is being written, and the work is not done again',
    async (strike) => {
      const jobId = await add('game-1', { attempts: 1 });
      await withClient({ connectionString: world.space.env['DATABASE_URL'] ?? '' }, async (blocker) => {
        const consumer = scripted(async () => {
          await blocker.query('BEGIN');
          await blocker.query(`SELECT FROM ${jobTable()} WHERE id = $1 FOR UPDATE`, [jobId]);
          return completed();
        });
        await startWorker(consumer);
        for (let struck = 0; struck < 2; struck++) {
          await eventually(() => strikeWriter(strike));
        }
        await blocker.query('ROLLBACK');
        await world.untilState(jobId, 'completed', { withinMs: 20_000 });
        expect(consumer.deliveries).toHaveLength(1);
      });
      expect(await world.space.plain.getJob(jobId)).toMatchObject({ attemptsStarted: 1, attemptsMade: 1 });
    },
    40_000,
  );

  it('no job fails although every session is ended again and again', async () => {
    const games = Array.from({ length: 60 }, (_, index) => `game-${index}`);
    const jobs = games.map((gameId) => ({
      name: 'cleanup_container',
      data: requestFor(gameId),
      opts: { attempts: 1 },
    }));
    await world.space.plain.addBulk(jobs);
    const strikes: Promise<unknown>[] = [];
    const consumer = scripted(({ run }) => {
      // Not awaited, so that it hits the write that follows.
      if (run === 1)
        strikes.push(world.store.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${OF_THE_WORKER}`));
      return completed();
    });
    await startWorker(consumer);
    await untilCompleted(60, { withinMs: 40_000 });
    await Promise.all(strikes);
    expect(world.space.report.of('unavailable').length).toBeGreaterThan(0);
    expect(await failedReasons()).toEqual([]);
  }, 60_000);

  it('a claim that PostgreSQL cancels in a deadlock fails no job', async () => {
    for (const gameId of ['a', 'b']) await add(gameId, { delay: 1, jobId: gameId });
    await withClient({ connectionString: world.space.env['DATABASE_URL'] ?? '' }, async (rival) => {
      const touch = (id: string) => rival.query(`UPDATE ${jobTable()} SET priority = priority WHERE id = $1`, [id]);
      await rival.query("SET deadlock_timeout = '1min'");
      await rival.query('BEGIN');
      await touch('b');
      // Both jobs are overdue when the first claim moves them.
      await eventually(async () => expect(await overdue()).toBe(2));
      await startWorker(scripted());
      // The claim has locked "a" and waits for "b"; now the rival needs "a".
      await eventually(async () => expect(await waitingForLocks()).toHaveLength(1));
      await touch('a');
      await rival.query('COMMIT');
    });
    await untilCompleted(2, { withinMs: 20_000 });
    expect(world.space.report.of('fault').join()).toContain('deadlock detected');
    expect(await failedReasons()).toEqual([]);
  }, 40_000);

  it('many delayed jobs that fall due together all end completed', async () => {
    const games = Array.from({ length: 300 }, (_, index) => `game-${index}`);
    await world.space.plain.addBulk(games.map((gameId) => ({ name: 'cleanup_container', data: requestFor(gameId) })));
    const answer = ({ run }: { readonly run: number }) =>
      run <= 3 ? retryAfter(50 + Math.random() * 300) : completed();
    await Promise.all([1, 2, 3].map(() => startWorker(scripted(answer), { concurrency: 4 })));
    await untilCompleted(300, { withinMs: 80_000 });
    expect(await failedReasons()).toEqual([]);
    const jobs = await world.space.plain.getCompleted(0, -1);
    expect(jobs.filter(({ attemptsStarted }) => attemptsStarted > 4)).toEqual([]);
  }, 120_000);

  it('a claim that first moves twenty thousand due jobs is not cancelled', async () => {
    await add('seed', { delay: 60_000 });
    await world.store.sql(
      `INSERT INTO ${jobTable()} (queue, id, seq, name, data, opts, state, added_at_ms, delay_ms, process_at_ms)
       SELECT queue, 'd' || n, seq + n, name, data, opts, state, added_at_ms, 1, 1 FROM ${jobTable()}, generate_series(1, 20000) n`,
    );
    await startWorker(scripted());
    await world.space.untilQueue(async () => expect(await world.space.plain.getCompletedCount()).toBeGreaterThan(3), {
      withinMs: 50_000,
    });
    expect(world.space.report.lines).toEqual([]);
  }, 70_000);

  it('a worker whose listening session alone was ended takes jobs again', async () => {
    await startWorker(scripted());
    await add('game-1');
    await untilCompleted(1);
    await world.store.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name <> '${CHANGES_SESSION}'
         AND (query ILIKE 'LISTEN%' OR application_name ILIKE '%:w%')`,
    );
    await add('game-2');
    await untilCompleted(2, { withinMs: 20_000 });
    expect(await failedReasons()).toEqual([]);
  }, 30_000);

  it('a role without the right to create tables fails at once with the reason, and works once another role has created them', async () => {
    const database = await createDatabase();
    const role = `poor_${Date.now()}`;
    await world.store.sql(`CREATE ROLE ${role} LOGIN`);
    await world.store.sql(`REVOKE CREATE ON DATABASE ${new URL(database.url).pathname.slice(1)} FROM PUBLIC`);
    const url = new URL(database.url);
    url.username = role;
    const connections = queuePool(url.href);
    const open = () =>
      openPostgresStore({
        connections,
        clock: systemClock,
        report: createRecordingReport(),
        deadlineMs: 30_000,
        signal: new AbortController().signal,
      });
    await expect(open()).rejects.toThrow(/permission denied/);

    await withClient({ connectionString: database.url }, async (owner) => {
      await migrateQueueTables(owner);
      await owner.query(`GRANT USAGE, CREATE ON SCHEMA bullmq TO ${role}`);
      await owner.query(`GRANT ALL ON ALL TABLES IN SCHEMA bullmq TO ${role}`);
      await owner.query(`GRANT ALL ON ALL SEQUENCES IN SCHEMA bullmq TO ${role}`);
    });
    const queue = createCleanupQueue({ backend: await open(), clock: systemClock, report: createRecordingReport() });
    expect(await queue.enqueue([requestFor('game-1')])).toMatchObject([{ state: 'waiting', coalesced: false }]);
    await queue.close();
    await connections.close();
    await database.drop();
    await world.store.sql(`DROP ROLE ${role}`);
  });
});
