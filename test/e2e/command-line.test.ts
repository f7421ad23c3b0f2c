/** Several processes at once: they share one trace, one migration and one embedded database. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { createDatabase, createMigratedDatabase } from '../support/postgres/database.js';
import { startRedis } from '../support/redis.js';
import { type Service, startService } from '../support/service.js';
import { startCollector } from '../support/telemetry-collector.js';
import { createTestContainers } from '../support/engine/test-containers.js';

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

function run(args: readonly string[], environment: Record<string, string>): Service {
  const service = startService(args, { DOCKER_HOST: `unix://${inject('engineSocket')}`, ...environment });
  undo.push(service.kill);
  return service;
}

it('eight processes that migrate one database at once apply each migration once, and all succeed', async () => {
  const database = await createDatabase();
  undo.push(database.drop);
  const services = Array.from({ length: 8 }, () => run(['migrate', '--json'], { DATABASE_URL: database.url }));
  expect(await Promise.all(services.map(({ exit }) => exit))).toEqual(Array.from({ length: 8 }, () => 0));
  const client = new Client({ connectionString: database.url });
  await client.connect();
  undo.push(() => client.end());
  const { rows } = await client.query<{ name: string; times: number }>(
    'SELECT name, count(*)::int AS times FROM runtime_cleanup_migrations GROUP BY 1',
  );
  expect(rows.map(({ name }) => name)).toContain('20261123000000_init');
  expect(new Set(rows.map(({ times }) => times))).toEqual(new Set([1]));
});

it('one trace leads from the command line through queue, lease and database to the engine', async () => {
  const collector = await startCollector();
  undo.push(collector.stop);
  const database = await createMigratedDatabase();
  undo.push(database.drop);
  const containers = await createTestContainers(inject('engineSocket'));
  undo.push(containers.clear);
  const id = await containers.make('exited', { gameLabel: 'traced' });
  const client = new Client({ connectionString: database.url });
  await client.connect();
  undo.push(() => client.end());
  await client.query(
    `INSERT INTO runtime_records (game_id, status, current_container_id, stopped_at, last_op_at, created_at)
     VALUES ('traced', 'stopped', $1, now(), now(), now())`,
    [id],
  );
  const environment = {
    DATABASE_URL: database.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_METRIC_EXPORT_INTERVAL: '500',
    OTEL_METRIC_EXPORT_TIMEOUT: '400',
  };
  const worker = run(['worker'], environment);
  await worker.logged('taking jobs');
  expect(await run(['enqueue', 'traced', '--wait'], environment).exit).toBe(0);
  const line = await worker.logged('cleanup succeeded');
  await collector.until(() => expect(collector.metricNames()).toContain('rtmanager.queue.jobs'));
  worker.signal('SIGTERM');
  expect(await worker.exit).toBe(0);

  const names = collector
    .spans()
    .filter(({ traceId }) => traceId === line['trace_id'])
    .map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^add/),
      expect.stringMatching(/^process/),
      'lease acquire',
      'take runtime_records',
      'container look',
      'container remove',
      'mark_removed runtime_records',
      'lease release',
    ]),
  );
  expect(collector.metricNames()).toEqual(
    expect.arrayContaining([
      'rtmanager.cleanup.outcomes',
      'rtmanager.cleanup.duration',
      'rtmanager.lease.acquire.duration',
      'rtmanager.docker.remove.duration',
      'rtmanager.queue.jobs',
    ]),
  );
});

describe('without DATABASE_URL', () => {
  it('a worker and a command share the embedded database, and the last of them stops it', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'runtime-cleanup-e2e-'));
    await chmod(dir, 0o755);
    undo.push(() => rm(dir, { recursive: true, force: true }));
    const environment = { RTMANAGER_DATA_DIR: join(dir, 'data'), RTMANAGER_INTERNAL_HTTP_ADDR: '127.0.0.1:0' };
    const worker = run(['serve'], environment);
    await worker.logged('taking jobs');
    const asked = run(['enqueue', 'unknown-game', '--wait', '--json'], environment);
    expect(await asked.exit).toBe(1);
    expect(asked.stdout()).toContain('not_found');
    const log = run(['log', 'unknown-game', '--json'], environment);
    expect(await log.exit).toBe(0);
    expect(log.stdout()).toContain('"not_found"');
    worker.signal('SIGTERM');
    expect(await worker.exit).toBe(0);
    expect(worker.stdout()).not.toContain('could not close');
  });
});

it('a Redis that may evict keys is refused at the start, with advice', async () => {
  const redis = await startRedis({ maxmemoryPolicy: 'allkeys-lru' });
  undo.push(redis.stop);
  const database = await createMigratedDatabase();
  undo.push(database.drop);
  const worker = run(['worker'], { DATABASE_URL: database.url, REDIS_URL: redis.url });
  expect(await worker.exit).toBe(1);
  expect(worker.stderr()).toMatch(/maxmemory-policy allkeys-lru; allowed: noeviction.*CONFIG SET/);
});
