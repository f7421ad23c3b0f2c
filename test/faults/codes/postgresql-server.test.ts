/** A whole PostgreSQL server of the test's own, which goes down in its different ways. */
// oxlint-disable vitest/no-standalone-expect -- `provokes` defines the test
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { PoolClient } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { databasesOn } from '../../support/postgres/databases.js';
import { eventually } from '../../support/eventually.js';
import { type PostgresServer, startPostgres } from '../../support/postgres/postgres.js';
import { startRedis, type TestRedis } from '../../support/redis.js';
import { provokes } from './catalogue/provokes.js';
import { openSite, type Site } from './site.js';

let redis: TestRedis;
let server: PostgresServer;
let site: Site;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  server = await startPostgres({ outlivesKill: true });
  // The database goes with its server.
  site = await openSite(async () => ({ ...(await databasesOn(server.url).migrated()), drop: async () => undefined }));
});
afterEach(async () => {
  await site.stop();
  await server.stop();
});

const pidOf = async (client: PoolClient): Promise<number> => {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]?.pid ?? Number.NaN;
};

provokes(
  'postgresql-shutting-down',
  /^PostgreSQL is not available: the database system is shutting down$/,
  async () => {
    const rig = await site.rig({ redisUrl: redis.url });
    const game = await site.bareGame();
    // It waits for the connected clients, and accepts no new one.
    const last = await site.pool.connect();
    server.signal('SIGTERM');
    await eventually(() => expect(rig.pool.query('SELECT 1')).rejects.toMatchObject({ code: '57P03' }));
    const ended = await rig.run(game.job());
    last.release();
    return ended;
  },
);

provokes(
  'postgresql-crashed',
  /^PostgreSQL is not available: (Connection terminated unexpectedly|terminating connection because of crash)/,
  async () => {
    const rig = await site.rig({ redisUrl: redis.url });
    const game = await site.bareGame();
    const [holder, victim, frozen] = await Promise.all([1, 2, 3].map(() => site.pool.connect()));
    if (holder === undefined || victim === undefined || frozen === undefined) throw new Error('three were asked for');
    await holder.query('BEGIN; SELECT FROM runtime_records FOR UPDATE');
    const running = rig.run(game.job());
    await eventually(async () => {
      const { rowCount } = await victim.query(`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'`);
      expect(rowCount).toBe(1);
    });
    const [victimPid, frozenPid] = [await pidOf(victim), await pidOf(frozen)];
    // The server recovers only when all of its processes are gone, and gives this one five seconds.
    process.kill(frozenPid, 'SIGSTOP');
    process.kill(victimPid, 'SIGKILL');
    const ended = await running;
    for (const client of [holder, victim, frozen]) client.release(true);
    await eventually(async () => expect(await site.statusOf(game)).toBe('stopped'), { withinMs: 30_000 });
    return ended;
  },
);

/** The file that holds the rows of a table. */
const fileOf = async (table: string): Promise<string> => {
  const { rows } = await site.pool.query<{ folder: string; file: string }>(
    `SELECT current_setting('data_directory') AS folder, pg_relation_filepath($1) AS file`,
    [table],
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`there is no table ${table}`);
  return join(row.folder, row.file);
};

provokes('postgresql-file-missing', /^PostgreSQL is not available: could not open file .*: No such file/, async () => {
  const rig = await site.rig({ redisUrl: redis.url });
  const game = await site.bareGame();
  await site.pool.query('CHECKPOINT');
  rmSync(await fileOf('runtime_records'));
  return rig.run(game.job());
});

provokes('postgresql-disk-full', /: could not extend file .*: No space left on device/, async () => {
  const rig = await site.rig({ redisUrl: redis.url });
  const game = await site.game();
  const file = await fileOf('operation_log');
  // A disk for the operation log that is always full.
  rmSync(file);
  symlinkSync('/dev/full', file);
  const ended = await rig.run(game.job());
  expect(await site.containers.stateOf(game.containerId)).toBe('missing');
  expect(await site.statusOf(game)).toBe('stopped');
  return ended;
});
