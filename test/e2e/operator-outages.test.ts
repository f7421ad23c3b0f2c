/** `serve` while a store is unavailable: it answers at once, names the store, stores nothing that it confirms falsely, and recovers. */
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startTcpFaultProxy, type TcpFaultProxy } from '../support/network/tcp-fault-proxy.js';
import { type Ask, createWorld, type Store, type World } from './operator-world.js';

/** One second by the contract, and a margin for a busy machine. */
const AT_ONCE_MS = 2_500;

let world: World;
let proxy: TcpFaultProxy | undefined;

afterEach(async () => {
  await world.end();
  await proxy?.close();
  proxy = undefined;
});

const checksOf = async (ask: Ask): Promise<Record<string, boolean>> => {
  const { checks } = (await ask('GET', '/readyz')).body as { checks: { name: string; ok: boolean }[] };
  return Object.fromEntries(checks.map(({ name, ok }) => [name, ok]));
};

/** No request hangs, and no answer confirms a job that was not stored. */
async function expectUnavailableAtOnce(ask: Ask): Promise<void> {
  const { status, body, elapsedMs, headers } = await ask('DELETE', 'runtimes/game-1/container');
  expect({ status, body }).toEqual({
    status: 503,
    body: { error: { code: 'service_unavailable', message: expect.any(String) } },
  });
  expect(elapsedMs).toBeLessThan(AT_ONCE_MS);
  expect(headers['retry-after']).toBe('1');
}

async function expectCleanedThroughHttp(ask: Ask): Promise<void> {
  await eventually(
    async () => {
      const { status, body } = await ask('DELETE', 'runtimes/game-1/container', { headers: { prefer: 'wait=20' } });
      expect({ status, body }).toMatchObject({ status: 200, body: { gameId: 'game-1', status: 'removed' } });
    },
    { withinMs: 40_000 },
  );
}

async function startBehindProxy(): Promise<{ readonly line: TcpFaultProxy; readonly DATABASE_URL: string }> {
  const line = await startTcpFaultProxy({ port: Number(new URL(world.databaseUrl).port) });
  proxy = line;
  return { line, DATABASE_URL: line.urlFor(world.databaseUrl) };
}

it('serve that starts before its database reports the database, and works once it answers', async () => {
  world = await createWorld('postgres');
  await world.stopped('game-1', 1);
  const { line, DATABASE_URL } = await startBehindProxy();
  await line.use('refuse');
  const { service, ask } = await world.listen('serve', { DATABASE_URL });
  await service.logged('waiting for the database');

  expect(await ask('GET', '/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
  const ready = await ask('GET', '/readyz');
  expect(ready).toMatchObject({ status: 503, body: { ready: false } });
  expect(ready.elapsedMs).toBeLessThan(AT_ONCE_MS);
  expect(await checksOf(ask)).toMatchObject({ database: false, queue: false, engine: true });
  await expectUnavailableAtOnce(ask);
  expect(await ask('GET', 'runtimes')).toMatchObject({ status: 503 });

  await line.use('pass');
  await service.logged('taking jobs');
  await expectCleanedThroughHttp(ask);
  await eventually(async () => expect(await ask('GET', '/readyz')).toMatchObject({ status: 200 }), {
    withinMs: 20_000,
  });
});

it('serve that is stopped while it waits for its database ends with 0', async () => {
  world = await createWorld('postgres');
  const { line, DATABASE_URL } = await startBehindProxy();
  await line.use('refuse');
  const { service } = await world.listen('serve', { DATABASE_URL });
  service.signal('SIGTERM');
  expect(await service.exit).toBe(0);
});

describe.each(['postgres', 'redis'] as const)('serve when its queue on %s becomes unavailable', (store: Store) => {
  it('serve refuses requests at once while its queue is unavailable, and continues when the store answers again', async () => {
    world = await createWorld(store);
    const { redis } = world;
    const { line, DATABASE_URL } = await startBehindProxy();
    const { service, ask } = await world.listen('serve', { DATABASE_URL });
    await service.logged('taking jobs');
    await world.stopped('game-1', 1);
    expect(await ask('DELETE', 'runtimes/unknown-game/container')).toMatchObject({ status: 202 });

    await (redis === undefined ? line.use('refuse') : redis.kill());
    await eventually(async () => expect((await checksOf(ask))['queue']).toBe(false));
    await expectUnavailableAtOnce(ask);
    expect(await ask('GET', '/healthz')).toMatchObject({ status: 200 });

    await (redis === undefined ? line.use('pass') : redis.restart());
    await expectCleanedThroughHttp(ask);
    expect(service.process.exitCode).toBeNull();
  });

  it('serve refuses requests at once also when its store accepts connections and never answers', async () => {
    world = await createWorld(store);
    const { redis } = world;
    const { line, DATABASE_URL } = await startBehindProxy();
    const { service, ask } = await world.listen('serve', { DATABASE_URL });
    await service.logged('taking jobs');
    await world.stopped('game-1', 1);

    await (redis === undefined ? line.use('blackhole') : redis.freeze());
    await expectUnavailableAtOnce(ask);
    expect((await ask('GET', '/readyz')).elapsedMs).toBeLessThan(AT_ONCE_MS);
    expect((await checksOf(ask))['queue']).toBe(false);

    await (redis === undefined ? line.use('pass') : redis.thaw());
    await expectCleanedThroughHttp(ask);
  });
});
