/** `runtime-cleanup verify`, run by an operator beside a worker that has done real work. */
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, inject, it } from 'vitest';
import type { InvariantReport } from '../../src/audit/audit-report.js';
import { startEngineFaultProxy } from '../support/engine/engine-fault-proxy.js';
import { eventually } from '../support/eventually.js';
import { createWorld, type Store, type World } from './operator-world.js';

let world: World;
afterEach(() => world.end());

interface Verified {
  readonly exitCode: number | null;
  readonly ok: boolean;
  readonly invariants: readonly InvariantReport[];
}

async function verify(...args: readonly string[]): Promise<Verified> {
  const { exitCode, stdout, stderr } = await world.command('verify', '--json', ...args);
  expect(stderr).toBe('');
  return { exitCode, ...(JSON.parse(stdout) as Omit<Verified, 'exitCode'>) };
}

const unsound = ({ invariants }: Verified): readonly (readonly [string, string])[] =>
  invariants.filter(({ status }) => status !== 'holds').map(({ name, status }) => [name, status]);

/** The number of rows and the last write, for each table and key that a command could change. */
async function traces(): Promise<unknown> {
  const { rows } = await world.db.query(`
    SELECT relname, xmin::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'records ' || count(*), coalesce(max(last_op_at)::text, '') FROM runtime_records
    UNION ALL SELECT 'rows ' || count(*), coalesce(max(id)::text, '') FROM operation_log ORDER BY 1`);
  if (world.redis === undefined) return rows;
  const redis = new Redis(world.redis.url);
  const keys = (await redis.keys('*')).sort();
  // Keys that expire, such as the throttle of the stall check, may do so meanwhile.
  const lasting = await Promise.all(keys.map(async (key) => ((await redis.pttl(key)) === -1 ? [key] : [])));
  redis.disconnect();
  return { rows, keys: lasting.flat() };
}

describe.each(['postgres', 'redis'] as const)('verify, with the queue on %s', (store: Store) => {
  it('verify finds every invariant to hold after real cleanups and refusals, beside the worker and without one, and changes nothing', async () => {
    world = await createWorld(store);
    const worker = world.run(['worker']);
    await worker.logged('taking jobs');
    const containerId = await world.containers.make('exited', { gameLabel: 'clean' });
    await world.stopped('clean', 1, containerId);
    await world.stopped('bare', 1);
    expect(await world.command('enqueue', 'clean', 'bare', '--wait')).toMatchObject({ exitCode: 0 });
    expect(await world.command('enqueue', 'unknown-game', '--wait')).toMatchObject({ exitCode: 1 });

    const beside = await verify('--strict');
    expect(beside).toMatchObject({ exitCode: 0, ok: true });
    expect(beside.invariants.map(({ name, checked, warnings }) => [name, checked, warnings])).toEqual([
      ['removed_has_row', 2, 0],
      ['row_has_removal', 2, 0],
      ['removed_is_gone', 1, 0],
      ['container_has_record', 0, 0],
      ['engine_is_same', 1, 0],
      ['lease_has_end', 0, 0],
      ['active_has_worker', 0, 0],
      ['dead_letter_has_reason', 1, 0],
    ]);

    worker.signal('SIGTERM');
    expect(await worker.exit).toBe(0);
    const before = await traces();
    expect(await verify()).toMatchObject({ exitCode: 0, ok: true });
    expect(await traces()).toEqual(before);
  });
});

it('verify names the broken invariant, and fails', async () => {
  world = await createWorld('postgres');
  expect(await world.command('migrate')).toMatchObject({ exitCode: 0 });
  const lost = randomBytes(32).toString('hex');
  await world.stopped('half', 1, lost);
  await world.db.query(
    `INSERT INTO operation_log (game_id, op_kind, op_source, container_id, outcome, started_at, finished_at)
     VALUES ('half', 'cleanup_container', 'admin_rest', $1, 'success', now(), now())`,
    [lost],
  );
  expect(unsound(await verify())).toEqual([['row_has_removal', 'broken']]);
  const shown = await world.command('verify');
  expect(shown.exitCode).toBe(1);
  expect(shown.stdout).toMatch(/^broken {3}row_has_removal: /m);
  expect(shown.stdout).toMatch(new RegExp(`^row_has_removal +broken +half +${lost.slice(0, 12)} `, 'm'));
  expect(shown.stdout).toContain('1 of 8 invariants are broken, 0 unknown.');
  expect(unsound(await verify('--game', 'another'))).toEqual([]);
});

it('verify reports the job of a killed worker, until another worker takes it over', async () => {
  world = await createWorld('redis');
  // The worker is in a look when it is killed.
  const slow = await startEngineFaultProxy({
    engineSocket: inject('engineSocket'),
    rule: ({ url }) => (url.includes('/containers/') ? { kind: 'hang' } : undefined),
  });
  const redis = new Redis(world.redis?.url ?? '');
  const shortLease = { RTMANAGER_GAME_LEASE_TTL_SECONDS: '2' };
  try {
    const first = world.run(['worker'], { ...shortLease, DOCKER_HOST: slow.host });
    await first.logged('taking jobs');
    await world.stopped('game-1', 1, await world.containers.make('exited'));
    expect(await world.command('enqueue', 'game-1')).toMatchObject({ exitCode: 0 });
    await world.untilQueue(async () => expect(await redis.exists('{rtmanager}:runtime-cleanup:1:lock')).toBe(1));
    await first.kill();
    // The lock expires, which Redis does not announce.
    await eventually(async () => expect(await redis.exists('{rtmanager}:runtime-cleanup:1:lock')).toBe(0));
    const alone = await verify();
    expect(unsound(alone)).toEqual([['active_has_worker', 'broken']]);
    expect(alone.exitCode).toBe(1);

    const second = world.run(['worker'], shortLease);
    await second.logged('taking jobs');
    expect(await verify()).toMatchObject({ exitCode: 0, ok: true });
  } finally {
    redis.disconnect();
    await slow.close();
  }
});

it('verify reports every invariant as unknown when all dependencies are unavailable, and ends soon', async () => {
  world = await createWorld('redis');
  const startedMs = performance.now();
  const service = world.run(['verify', '--json'], {
    DATABASE_URL: 'postgresql://u:p@127.0.0.1:9/none',
    REDIS_URL: 'redis://127.0.0.1:9',
    DOCKER_HOST: 'unix:///nonexistent/engine.sock',
  });
  expect(await service.exit).toBe(1);
  expect(performance.now() - startedMs).toBeLessThan(30_000);
  const { invariants } = JSON.parse(service.stdout()) as Verified;
  expect(invariants.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 'unknown'));
  expect(service.stdout()).not.toContain('u:p@');
});

it('verify ends with 2 when its arguments are wrong', async () => {
  world = await createWorld('postgres');
  expect(await world.command('verify', '--game', '')).toMatchObject({ exitCode: 2 });
  expect(await world.command('verify', 'everything')).toMatchObject({ exitCode: 2 });
});
