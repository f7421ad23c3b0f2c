/** A queue in PostgreSQL is opened while the server is unavailable, or while another process creates its tables. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { QueueStore } from '../../../src/adapters/bullmq/store/queue-store.js';
import { openPostgresStore } from '../../../src/adapters/bullmq/store/postgres-store.js';
import { migrateQueueTables } from '../../../src/adapters/bullmq/store/queue-tables.js';
import { createCleanupQueue } from '../../../src/adapters/bullmq/producer/cleanup-queue.js';
import { poolOptions } from '../../../src/adapters/postgres/pool.js';
import type { QueuePool } from '../../../src/adapters/postgres/queue-pool.js';
import { systemClock } from '../../../src/async/clock.js';
import { UnavailableError } from '../../../src/domain/errors.js';
import { queuePool, withClient } from '../../support/queue/queue-clients.js';
import { startProxy } from '../../support/queue/queue-proxy.js';
import { createRecordingReport, type RecordingReport } from '../../support/queue/queue-report.js';
import { createDatabase, type TestDatabase } from '../../support/postgres/database.js';

let database: TestDatabase;
let report: RecordingReport;
const pools: QueuePool[] = [];

beforeEach(async () => {
  database = await createDatabase();
  report = createRecordingReport();
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
  await database.drop();
});

interface How {
  readonly url?: string;
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  readonly lockTimeoutMs?: number;
}

const open = ({ url = database.url, deadlineMs = 30_000, signal, lockTimeoutMs }: How): Promise<QueueStore> => {
  const options = {
    ...poolOptions({ connectionString: url, applicationName: 'opening', max: 4 }),
    ...(lockTimeoutMs === undefined ? {} : { lock_timeout: lockTimeoutMs }),
  };
  const connections = queuePool(url);
  pools.push(connections);
  return openPostgresStore({
    connections: { ...connections, withClient: (work) => withClient(options, work) },
    clock: systemClock,
    report,
    deadlineMs,
    signal: signal ?? new AbortController().signal,
  });
};

it('a queue store creates no BullMQ object before PostgreSQL answers and the tables exist', async () => {
  const direct = new URL(database.url);
  const proxy = await startProxy(Number(direct.port));
  await proxy.cut();
  direct.port = String(proxy.port);
  const url = direct.href;
  await expect(open({ url, deadlineMs: 1_500 })).rejects.toBeInstanceOf(UnavailableError);
  expect(report.of('unavailable')).toHaveLength(1);
  const impatient = new AbortController();
  const given = open({ url, signal: impatient.signal });
  impatient.abort(new Error('changed my mind'));
  await expect(given).rejects.toThrow('changed my mind');

  const opening = Promise.all(Array.from({ length: 4 }, () => open({ url })));
  await proxy.restore();
  const [backend] = await opening;
  if (backend === undefined) throw new Error('no backend');
  const queue = createCleanupQueue({ backend, clock: systemClock, report });
  const request = { gameId: 'game-1', opSource: 'lobby_stream' };
  expect(await queue.enqueue([request])).toMatchObject([{ state: 'waiting', coalesced: false }]);
  await queue.close();
  await proxy.close();
}, 40_000);

it('a queue store waits for another process that creates the tables, also longer than the lock time-out', async () => {
  const backend = await withClient({ connectionString: database.url }, async (other) => {
    await migrateQueueTables(other);
    await other.query('BEGIN');
    await other.query('LOCK TABLE bullmq.migration');
    const opening = open({ lockTimeoutMs: 200 });
    const reported = report.until(() => expect(report.of('unavailable').join()).toContain('lock timeout'));
    await Promise.race([opening, reported]);
    await other.query('ROLLBACK');
    return opening;
  });
  expect(backend.kind).toBe('postgres');
  expect(report.of('recovered')).toHaveLength(1);
}, 40_000);
