/** A database that answers our statements with a refusal. Leases are in Redis, so that the record's is the first. */
// oxlint-disable vitest/no-standalone-expect -- `provokes` defines the test
import type { PoolClient } from 'pg';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { startRedis, type TestRedis } from '../../support/redis.js';
import { startTcpFaultProxy } from '../../support/network/tcp-fault-proxy.js';
import { provokes } from './catalogue/provokes.js';
import type { Ended, Rig } from './rig.js';
import { type Game, openSite, type Site } from './site.js';

let site: Site;
let redis: TestRedis;
beforeAll(async () => {
  [site, redis] = await Promise.all([openSite(), startRedis()]);
});
afterAll(async () => {
  await site.stop();
  await redis.stop();
});
afterEach(() => site.containers.clear());

const rigWith = (poolLimits = {}): Promise<Rig> => site.rig({ redisUrl: redis.url, poolLimits });

/** Waits until one of the rig's statements waits for a lock. */
const statementWaits = (): Promise<void> =>
  eventually(async () => {
    const { rowCount } = await site.pool.query(
      `SELECT FROM pg_stat_activity
       WHERE application_name = 'rig' AND wait_event_type = 'Lock' AND datname = current_database()`,
    );
    expect(rowCount).toBe(1);
  });

/** Another client holds `lock` in a transaction while the job waits for it; then comes `then`. */
const whileLocked = async (
  lock: string,
  run: () => Promise<Ended>,
  then: (holder: PoolClient) => Promise<unknown>,
): Promise<Ended> => {
  const holder = await site.pool.connect();
  try {
    await holder.query(`BEGIN; ${lock}`);
    const running = run();
    await statementWaits();
    await then(holder);
    return await running;
  } finally {
    await holder.query('ROLLBACK');
    holder.release();
  }
};
const lockRecord = ({ gameId }: Game): string => `SELECT FROM runtime_records WHERE game_id = '${gameId}' FOR UPDATE`;

/** The job waits for its record, and something happens to it there. */
const meetingLock =
  (then: (holder: PoolClient) => Promise<unknown>, poolLimits = {}) =>
  async (): Promise<Ended> => {
    const rig = await rigWith(poolLimits);
    const game = await site.bareGame();
    return whileLocked(lockRecord(game), () => rig.run(game.job()), then);
  };
const nothing = async (): Promise<void> => undefined;

provokes(
  'postgresql-lock-timeout',
  /^PostgreSQL is not available: canceling statement due to lock timeout$/,
  meetingLock(nothing, { lock_timeout: 300 }),
);
provokes(
  'postgresql-statement-timeout',
  /^PostgreSQL is not available: canceling statement due to statement timeout$/,
  meetingLock(nothing, { statement_timeout: 300 }),
);

const toBackend = (how: 'pg_cancel_backend' | 'pg_terminate_backend') => () =>
  site.pool.query(
    `SELECT ${how}(pid) FROM pg_stat_activity
     WHERE application_name = 'rig' AND wait_event_type = 'Lock' AND datname = current_database()`,
  );
provokes(
  'postgresql-query-cancelled',
  /^PostgreSQL is not available: canceling statement due to user request$/,
  meetingLock(toBackend('pg_cancel_backend')),
);
provokes(
  'postgresql-backend-terminated',
  /^PostgreSQL is not available: terminating connection due to administrator command$/,
  meetingLock(toBackend('pg_terminate_backend')),
);

/** A setting of the whole database, in force for connections made from now on. */
const withSetting = async (name: string, value: string, provoke: () => Promise<Ended>): Promise<Ended> => {
  const database = new URL(site.databaseUrl).pathname.slice(1);
  await site.pool.query(`ALTER DATABASE ${database} SET ${name} = '${value}'`);
  try {
    return await provoke();
  } finally {
    await site.pool.query(`ALTER DATABASE ${database} RESET ${name}`);
  }
};

provokes('postgresql-serialization-failure', /: could not serialize access$/, async () => {
  await site.pool.query(`
    CREATE FUNCTION not_serialized() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'could not serialize access' USING ERRCODE = 'serialization_failure'; END $$;
    CREATE TRIGGER not_serialized BEFORE UPDATE ON runtime_records FOR EACH ROW EXECUTE FUNCTION not_serialized()`);
  try {
    return await (await rigWith()).run((await site.bareGame()).job());
  } finally {
    await site.pool.query('DROP TRIGGER not_serialized ON runtime_records; DROP FUNCTION not_serialized');
  }
});

provokes('postgresql-read-only', /: cannot execute .* in a read-only transaction$/, () =>
  withSetting('default_transaction_read_only', 'on', async () => (await rigWith()).run((await site.bareGame()).job())),
);

provokes('postgresql-deadlock', /^PostgreSQL is not available: deadlock detected$/, async () => {
  // Another service's trigger makes each change of a record wait for the game's hold.
  await site.pool.query(`
    CREATE FUNCTION touch_hold() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN UPDATE retention_holds SET reason = reason WHERE game_id = NEW.game_id; RETURN NEW; END $$;
    CREATE TRIGGER touch_hold BEFORE UPDATE ON runtime_records FOR EACH ROW EXECUTE FUNCTION touch_hold()`);
  const rig = await rigWith();
  const game = await site.bareGame();
  const hold = `WHERE game_id = '${game.gameId}'`;
  await site.pool.query(`INSERT INTO retention_holds (game_id, reason, held_by) VALUES ($1, '', '')`, [game.gameId]);
  try {
    return await whileLocked(
      `SET LOCAL deadlock_timeout = '60s'; SELECT FROM retention_holds ${hold} FOR UPDATE`,
      () => rig.run(game.job()),
      (holder) => holder.query(lockRecord(game)),
    );
  } finally {
    await site.pool.query('DROP TRIGGER touch_hold ON runtime_records; DROP FUNCTION touch_hold');
  }
});

provokes('postgresql-change-answer-lost', /^PostgreSQL is not available: /, async () => {
  const line = await startTcpFaultProxy({ port: Number(new URL(site.databaseUrl).port) });
  const rig = await site.rig({ redisUrl: redis.url, databaseUrl: line.urlFor(site.databaseUrl) });
  const game = await site.game();
  const holder = await site.pool.connect();
  const running = rig.run(game.job(), { removed: () => holder.query(`BEGIN; ${lockRecord(game)}`) });
  await statementWaits();
  line.resetConnections();
  const ended = await running;
  await holder.query('COMMIT');
  holder.release();
  await eventually(async () => expect(await site.statusOf(game)).toBe('removed'));
  expect(await ended.loggedCodes()).toEqual(['service_unavailable', '']);
  expect(await rig.run(game.job())).toMatchObject({ code: 'replay_no_op' });
  await line.close();
  return ended;
});

provokes(
  'postgresql-table-missing',
  /^PostgreSQL refuses the statement: relation "runtime_records" does not exist \(SQLSTATE 42P01\)$/,
  async () => {
    const rig = await rigWith();
    const game = await site.bareGame();
    await site.pool.query('ALTER TABLE runtime_records RENAME TO elsewhere');
    try {
      return await rig.run(game.job());
    } finally {
      await site.pool.query('ALTER TABLE elsewhere RENAME TO runtime_records');
    }
  },
);

provokes(
  'postgresql-constraint',
  /^PostgreSQL refuses the statement: .* violates check constraint "only_failures" \(SQLSTATE 23514\)$/,
  async () => {
    const rig = await rigWith();
    const game = await site.game();
    await site.pool.query(`ALTER TABLE operation_log ADD CONSTRAINT only_failures CHECK (error_code <> '') NOT VALID`);
    try {
      const ended = await rig.run(game.job());
      expect(await site.containers.stateOf(game.containerId)).toBe('missing');
      expect(await site.statusOf(game)).toBe('stopped');
      return ended;
    } finally {
      await site.pool.query('ALTER TABLE operation_log DROP CONSTRAINT only_failures');
    }
  },
);
