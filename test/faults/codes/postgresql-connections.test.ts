/** A database that our connections do not reach, or that refuses them. */
// oxlint-disable vitest/no-standalone-expect -- `provokes` defines the test
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { checkDatabaseServer } from '../../../src/adapters/postgres/session/database-check.js';
import { startRedis, type TestRedis } from '../../support/redis.js';
import { startTcpFaultProxy, type TcpFaultProxy } from '../../support/network/tcp-fault-proxy.js';
import { provokes } from './catalogue/provokes.js';
import type { Ended, Rig, RigOptions } from './rig.js';
import { openSite, type Site } from './site.js';

const ROLE = `rig_${randomBytes(6).toString('hex')}`;
const QUICK = { query_timeout: 500, connectionTimeoutMillis: 500 };

let site: Site;
let redis: TestRedis;
let line: TcpFaultProxy;
/** Their databases lie behind the line; leases are in Redis, or in that database too. */
let rig: Rig;
let withLeases: Rig;
beforeAll(async () => {
  [site, redis] = await Promise.all([openSite(), startRedis()]);
  await site.pool.query(`
    CREATE ROLE ${ROLE} LOGIN;
    GRANT SELECT, UPDATE ON runtime_records, retention_holds TO ${ROLE};
    GRANT INSERT ON operation_log TO ${ROLE}`);
});
afterAll(async () => {
  await site.pool.query(`DROP OWNED BY ${ROLE}; DROP ROLE ${ROLE}`);
  await site.stop();
  await redis.stop();
});
beforeEach(async () => {
  line = await startTcpFaultProxy({ port: Number(new URL(site.databaseUrl).port) });
  const databaseUrl = line.urlFor(site.databaseUrl);
  // As the program does at its start.
  await checkDatabaseServer(databaseUrl);
  rig = await site.rig({ redisUrl: redis.url, databaseUrl, poolLimits: QUICK });
  withLeases = await site.rig({ databaseUrl, poolLimits: QUICK, leaseTtlMs: 2_000 });
});
afterEach(async () => {
  await line.close();
  await site.containers.clear();
});

const unavailableBy = (fault: 'refuse' | 'reset' | 'blackhole') => async (): Promise<Ended> => {
  const game = await site.bareGame();
  // Live connections meet the fault too, not only new ones.
  await rig.pool.query('SELECT 1');
  await line.use(fault);
  return rig.run(game.job());
};
const BROKEN =
  /^PostgreSQL is not available: (Can't reach database server at|Server has closed the connection|Connection terminated)/;
provokes('postgresql-refuses-connections', BROKEN, unavailableBy('refuse'));
provokes('postgresql-resets-connections', BROKEN, unavailableBy('reset'));
provokes('postgresql-silent', /^PostgreSQL is not available: Query read timeout$/, unavailableBy('blackhole'));

provokes('postgresql-silent-lease-store', /^the lease could not be acquired: .*(did not answer|timeout)/, async () => {
  const game = await site.bareGame();
  await line.use('blackhole');
  return withLeases.run(game.job());
});

provokes('postgresql-away-at-a-refusal', /^invalid_request: gameId is empty/, async () => {
  await line.use('refuse');
  return rig.run({ payload: { gameId: '', opSource: 'admin_rest' } });
});

provokes('postgresql-away-after-removal', BROKEN, async () => {
  const game = await site.game();
  const ended = await rig.run(game.job(), { removed: () => line.use('refuse') });
  expect(await site.containers.stateOf(game.containerId)).toBe('missing');
  expect(await site.statusOf(game)).toBe('stopped');
  await line.use('pass');
  // The next attempt of the same job: the removal that it sent is the evidence.
  expect(await rig.run({ ...game.job(), jobId: ended.jobId, run: 2 })).toMatchObject({ code: '' });
  return ended;
});

provokes('postgresql-pool-exhausted', /: timeout exceeded when trying to connect$/, async () => {
  const game = await site.bareGame();
  const taken = await Promise.all(Array.from({ length: 4 }, () => rig.pool.connect()));
  const ended = await rig.run(game.job());
  for (const client of taken) client.release();
  return ended;
});

const onOtherUrl = async (change: (url: URL) => void, over: Partial<RigOptions> = {}): Promise<Ended> => {
  const url = new URL(site.databaseUrl);
  change(url);
  const other = await site.rig({ redisUrl: redis.url, databaseUrl: url.href, ...over });
  return other.run((await site.bareGame()).job());
};
const asRole = (attributes: string) => async (): Promise<Ended> => {
  await site.pool.query(`ALTER ROLE ${ROLE} ${attributes}`);
  try {
    return await onOtherUrl((url) => {
      url.username = ROLE;
    });
  } finally {
    await site.pool.query(`ALTER ROLE ${ROLE} LOGIN CONNECTION LIMIT -1`);
  }
};
provokes('postgresql-too-many-connections', /too many connections for role "rig_/, asRole('CONNECTION LIMIT 0'));
provokes('postgresql-login-refused', /role "rig_.+" is not permitted to log in/, asRole('NOLOGIN'));
provokes('postgresql-database-missing', /database "no_such_database" does not exist/, () =>
  onOtherUrl((url) => {
    url.pathname = '/no_such_database';
  }),
);

provokes(
  'postgresql-permission-denied',
  /permission denied for table runtime_records \(role "rig_\w+"\); run deploy\/roles\.sql/,
  async () => {
    await site.pool.query(`REVOKE UPDATE ON runtime_records FROM ${ROLE}`);
    try {
      return await asRole('LOGIN')();
    } finally {
      await site.pool.query(`GRANT UPDATE ON runtime_records TO ${ROLE}`);
    }
  },
);

provokes('postgresql-lease-store-refuses', /^the lease could not be acquired: .* read-only transaction$/, async () => {
  const options = encodeURIComponent('-c default_transaction_read_only=on');
  const readOnly = await site.rig({ databaseUrl: `${site.databaseUrl}?options=${options}` });
  return readOnly.run((await site.bareGame()).job());
});

provokes('postgresql-lease-table-missing', /relation "game_leases" does not exist/, async () => {
  await site.pool.query('ALTER TABLE game_leases RENAME TO elsewhere');
  try {
    return await withLeases.run((await site.bareGame()).job());
  } finally {
    await site.pool.query('ALTER TABLE elsewhere RENAME TO game_leases');
  }
});
