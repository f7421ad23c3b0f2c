import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPool } from '../../../src/adapters/postgres/pool.js';
import { createPostgresLeaseStore } from '../../../src/adapters/postgres/lease-store.js';
import { migrate } from '../../../src/adapters/postgres/migrations/migrate.js';
import { timeIfWritable } from '../../../src/adapters/postgres/writable.js';
import { createPrisma } from '../../../src/adapters/prisma/client.js';
import { createContainerLooks } from '../../../src/adapters/prisma/container-looks.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import { startTcpFaultProxy, type TcpFaultProxy } from '../../support/network/tcp-fault-proxy.js';
import { type PostgresServer, startPostgres } from '../../support/postgres/postgres.js';
import { promote } from '../../support/postgres/standby.js';
import { fileURLToPath } from 'node:url';

const migrationsDir = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));
const CONNECTIONS = 4;

/** The name of the database: new connections are led to the node that it means at the time. */
let name: TcpFaultProxy;
let demoted: PostgresServer;
let promoted: PostgresServer;
let pool: ReturnType<typeof createPool>;

const portOf = ({ url }: PostgresServer): number => Number(new URL(url).port);

beforeAll(async () => {
  demoted = await startPostgres({ outlivesKill: true });
  await migrate({ connectionString: demoted.url, migrationsDir });
  promoted = await startPostgres({ outlivesKill: true, standbyOf: demoted.url });
  await demoted.kill();
  await promote(promoted.url);
  await demoted.restart({ standbyOf: promoted.url });
  name = await startTcpFaultProxy({ port: portOf(demoted) });
});
afterAll(() => Promise.all([demoted.stop(), promoted.stop(), name.close()]));

/** Every connection leads to the node that is a standby now; from here on the name leads to the primary. */
beforeEach(async () => {
  name.redirect(portOf(demoted));
  pool = createPool(
    { connectionString: name.urlFor(demoted.url), applicationName: 'failover', max: CONNECTIONS },
    () => undefined,
  );
  await Promise.all(Array.from({ length: CONNECTIONS }, () => pool.query('SELECT pg_sleep(0.1)')));
  name.redirect(portOf(promoted));
  return () => pool.end();
});

describe('connections that lead to a standby since a failover', () => {
  test('the first write finds the database unavailable, and every later use gets a new connection', async () => {
    const { acquire } = createPostgresLeaseStore({ pool });
    await expect(acquire('game-1', 'token', 60_000)).rejects.toThrow(UnavailableError);
    const acquired = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((gameId) => acquire(gameId, 'token', 60_000)));
    expect(acquired).toEqual([true, true, true, true, true]);
  });

  test('a write in a transaction does so, too', async () => {
    const prisma = createPrisma(pool);
    const looks = createContainerLooks({ prisma });
    const look = () =>
      looks.foundGone({ engine: 'default', gameId: 'game-1', containerId: 'c'.repeat(64), jobId: '1' });
    await expect(look()).rejects.toThrow(UnavailableError);
    await look();
    await prisma.$disconnect();
  });

  test('the check for readiness fails with the cure, and passes with a new connection', async () => {
    await expect(timeIfWritable(pool)).rejects.toThrow(
      'PostgreSQL is a standby and can only be read; promote it, or let DATABASE_URL lead to the primary',
    );
    for (const now of await Promise.all([timeIfWritable(pool), timeIfWritable(pool)])) expect(now).toBeInstanceOf(Date);
  });
});
