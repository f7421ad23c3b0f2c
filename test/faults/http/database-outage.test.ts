import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { HttpServer } from '../../../src/adapters/http/http-ports.js';
import { createHttpServer } from '../../../src/adapters/http/server.js';
import { createPool } from '../../../src/adapters/postgres/pool.js';
import { createPrisma, warmUp } from '../../../src/adapters/prisma/client.js';
import { createRecordQueries } from '../../../src/adapters/prisma/record-queries.js';
import { createRetentionRecords } from '../../../src/adapters/prisma/retention-records.js';
import { createRetention } from '../../../src/retention/retention-service.js';
import { createMigratedDatabase } from '../../support/postgres/database.js';
import { eventually } from '../../support/eventually.js';
import { httpParts, httpSettings } from '../../support/http-parts.js';
import { startTcpFaultProxy, type TcpFaultProxy } from '../../support/network/tcp-fault-proxy.js';

const API = '/api/v1/internal';
const PATHS = [
  '/runtimes',
  '/runtimes?status=stopped&limit=1000',
  '/runtimes/game-1',
  '/runtimes/game-1/operations',
  '/retention/plan',
  '/retention/plan?all=true',
];
/** One second, and a margin for a busy machine. */
const AT_ONCE_MS = 1_800;

describe('the API while the database is unavailable', () => {
  let proxy: TcpFaultProxy;
  let server: HttpServer;
  let origin: string;
  const closers: (() => Promise<unknown>)[] = [];

  const ask = async (path: string) => {
    const startedMs = performance.now();
    const answer = await fetch(`${origin}${API}${path}`);
    const { error } = (await answer.json()) as { readonly error?: { readonly code: string } };
    return { status: answer.status, code: error?.code, elapsedMs: performance.now() - startedMs };
  };
  const statuses = async () => (await Promise.all(PATHS.map(ask))).map(({ status }) => status);

  beforeAll(async () => {
    const database = await createMigratedDatabase();
    proxy = await startTcpFaultProxy({ port: Number(new URL(database.url).port) });
    const settings = { connectionString: proxy.urlFor(database.url), applicationName: 'http test', max: 4 };
    const pool = createPool(settings, () => undefined);
    const prisma = createPrisma(pool);
    await warmUp(prisma);
    const retention = createRetention(
      {
        records: createRetentionRecords({ prisma }),
        deadLetters: { among: async () => new Map() },
        requests: { request: async () => ({ enqueued: 0, coalesced: 0 }) },
        lock: { exclusively: (work) => work() },
        observer: { enqueued: () => undefined, skipped: () => undefined, ended: () => undefined },
      },
      { retentionMs: 60_000, maxShare: 1 },
    );
    server = createHttpServer({ ...httpParts(), records: createRecordQueries({ prisma }), retention }, httpSettings());
    origin = `http://127.0.0.1:${await server.listen()}`;
    closers.push(
      server.close,
      () => prisma.$disconnect(),
      () => pool.end(),
      () => proxy.close(),
      () => database.drop(),
    );
  });
  afterEach(() => proxy.use('pass'));
  afterAll(async () => {
    for (const close of closers) await close();
  });

  it.each(['blackhole', 'refuse', 'reset'] as const)(
    'the API answers 503 within a second while the database connection is in the mode %s, and as before afterwards',
    async (mode) => {
      await eventually(async () => expect(await statuses()).toEqual([200, 200, 404, 200, 200, 200]));
      await proxy.use(mode);
      const answers = await Promise.all(PATHS.map(ask));
      expect(answers.map(({ status, code }) => [status, code])).toEqual(PATHS.map(() => [503, 'service_unavailable']));
      for (const { elapsedMs } of answers) expect(elapsedMs).toBeLessThan(AT_ONCE_MS);
      await proxy.use('pass');
      await eventually(async () => expect(await statuses()).toEqual([200, 200, 404, 200, 200, 200]));
    },
  );
});
