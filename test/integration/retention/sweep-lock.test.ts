import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPool } from '../../../src/adapters/postgres/pool.js';
import { createSweepLock } from '../../../src/adapters/postgres/sweep-lock.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import { createDatabase, type TestDatabase } from '../../support/postgres/database.js';
import { createGate } from '../../support/changes.js';
import { startTcpFaultProxy } from '../../support/network/tcp-fault-proxy.js';

let database: TestDatabase;
let admin: pg.Pool;
const pools: pg.Pool[] = [];

/** A pool as another process would have it. */
const newPool = (applicationName: string, url = database.url, max = 2): pg.Pool => {
  const pool = createPool({ connectionString: url, applicationName, max }, () => undefined);
  pools.push(pool);
  return pool;
};

beforeAll(async () => {
  database = await createDatabase();
  admin = newPool('admin');
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await database.drop();
});

/** Work under the lock that goes on until `end` is called. */
const heldWork = (pool: pg.Pool) => {
  const begun = createGate();
  const ending = createGate<string>();
  const done = createSweepLock({ pool }).exclusively(() => {
    begun.open();
    return ending.opened;
  });
  return { begun: begun.opened, end: ending.open, done };
};
/** Resolves when the server's processes for these connections have ended. */
const terminate = (applicationName: string) =>
  admin.query('SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = $1', [
    applicationName,
  ]);
const connectionsOf = async (applicationName: string): Promise<number> => {
  const { rows } = await admin.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = $1',
    [applicationName],
  );
  return rows[0]?.n ?? Number.NaN;
};
const tryOnce = (pool: pg.Pool) => createSweepLock({ pool }).exclusively(async () => 'mine' as const);

describe('of two sweeps at once', () => {
  test('one of two sweeps runs, the other is busy at once, and afterwards the lock is free', async () => {
    const [one, other] = [newPool('one'), newPool('other')];
    const held = heldWork(one);
    await held.begun;
    expect(await tryOnce(other)).toBe('busy');
    // The same process is refused, too: the lock belongs to the transaction.
    expect(await tryOnce(one)).toBe('busy');
    held.end('done');
    expect(await held.done).toBe('done');
    expect(await tryOnce(other)).toBe('mine');
  });

  test('exactly one of ten concurrent sweeps runs', async () => {
    const pool = newPool('ten', database.url, 10);
    let running = 0;
    const allAsked = createGate();
    const answers = Array.from({ length: 10 }, () =>
      createSweepLock({ pool }).exclusively(async () => {
        running += 1;
        await allAsked.opened;
        return 'mine' as const;
      }),
    );
    let busy = 0;
    for (const answer of answers) {
      void answer.then((text) => {
        if (text === 'busy') busy += 1;
        if (busy === 9) allAsked.open();
      });
    }
    expect((await Promise.all(answers)).filter((text) => text === 'mine')).toHaveLength(1);
    expect(running).toBe(1);
  });
});

describe('a holder', () => {
  test('a sweep whose connection is ended by the server frees the lock at once, and its work goes on to its result', async () => {
    const pool = newPool('doomed');
    const held = heldWork(pool);
    await held.begun;
    expect(await tryOnce(admin)).toBe('busy');
    await terminate('doomed');
    expect(await tryOnce(admin)).toBe('mine');
    held.end('done all the same');
    expect(await held.done).toBe('done all the same');
    // The broken connection is not lent again.
    expect(await tryOnce(pool)).toBe('mine');
  });

  test('a sweep whose work fails rejects with the error, and frees the lock', async () => {
    const pool = newPool('failing');
    const bug = new TypeError('a bug');
    const failing = createSweepLock({ pool }).exclusively(() => Promise.reject(bug));
    await expect(failing).rejects.toBe(bug);
    expect(await tryOnce(admin)).toBe('mine');
    expect(await connectionsOf('failing')).toBe(1);
  });

  test('a sweep whose work throws before it returns a promise frees the lock, too', async () => {
    const lock = createSweepLock({ pool: newPool('throwing') });
    await expect(
      lock.exclusively(() => {
        throw new TypeError('at once');
      }),
    ).rejects.toThrow('at once');
    expect(await tryOnce(admin)).toBe('mine');
  });

  test('the lock is not ended as an idle transaction, and does not block a vacuum', async () => {
    const pool = newPool('patient', database.url, 1);
    const held = heldWork(pool);
    await held.begun;
    const { rows } = await admin.query(
      `SELECT state, backend_xmin, backend_xid FROM pg_stat_activity WHERE application_name = 'patient'`,
    );
    expect(rows).toEqual([{ state: 'idle in transaction', backend_xmin: null, backend_xid: null }]);
    held.end('done');
    await held.done;
    // What was set for the one transaction has gone with it.
    const setting = await pool.query(`SELECT current_setting('idle_in_transaction_session_timeout') AS limit`);
    expect(setting.rows).toEqual([{ limit: '15s' }]);
  });
});

test('an unavailable database is an outage, and the work does not begin', async () => {
  const url = new URL(database.url);
  url.port = '1';
  const lock = createSweepLock({ pool: newPool('away', url.href) });
  await expect(lock.exclusively(async () => expect.unreachable())).rejects.toBeInstanceOf(UnavailableError);
});

test('a database that becomes unavailable is an outage, and the lock can be taken when it is back', async () => {
  const proxy = await startTcpFaultProxy({ port: Number(new URL(database.url).port) });
  try {
    const pool = newPool('over a bad line', proxy.urlFor(database.url), 1);
    expect(await tryOnce(pool)).toBe('mine');
    await proxy.use('refuse');
    await expect(tryOnce(pool)).rejects.toBeInstanceOf(UnavailableError);
    await proxy.use('pass');
    expect(await tryOnce(pool)).toBe('mine');
  } finally {
    await proxy.close();
  }
});
