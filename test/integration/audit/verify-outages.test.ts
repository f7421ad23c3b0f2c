/** Verify while a dependency is unavailable: what could not be asked is unknown, the rest is judged, and it ends soon. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Environment, createVerifyWorld, unsound, type VerifyWorld } from './verify-world.js';

/** Each of the dependencies may use up its own ten seconds once; the rest is what a busy machine adds. */
const ENDS_WITHIN_MS = 25_000;

interface Silent {
  readonly port: number;
  readonly socketPath: string;
  readonly close: () => Promise<void>;
}

/** A server that accepts connections and sends nothing. */
async function startSilent(): Promise<Silent> {
  const folder = await mkdtemp(join(tmpdir(), 'silent-'));
  const socketPath = join(folder, 'engine.sock');
  const sockets = new Set<Socket>();
  const listening = (where: number | string): Promise<Server> =>
    new Promise((resolve) => {
      const server = createServer((socket) => sockets.add(socket.on('error', () => undefined).resume()));
      if (typeof where === 'string') server.listen(where, () => resolve(server));
      else server.listen(where, '127.0.0.1', () => resolve(server));
    });
  const [tcp, unix] = await Promise.all([listening(0), listening(socketPath)]);
  const address = tcp.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    socketPath,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all([tcp, unix].map((server) => new Promise((resolve) => server.close(resolve))));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const ENGINE_PARTS = ['removed_is_gone', 'container_has_record', 'engine_is_same'];
const DATABASE_PARTS = ['removed_has_row', 'row_has_removal', ...ENGINE_PARTS, 'dead_letter_has_reason'];
const LEASES_AND_JOBS = ['lease_has_end', 'active_has_worker', 'dead_letter_has_reason'];
const unknown = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, 'unknown']));

describe.each(['redis', 'postgres'] as const)('verify, with queue and leases on %s', (store) => {
  let world: VerifyWorld;
  let silent: Silent;

  beforeAll(async () => {
    world = await createVerifyWorld(store);
    silent = await startSilent();
    await world.removed('game-1');
    await world.failed('dead-1', 'conflict: it runs');
  });
  afterAll(async () => {
    await world.close();
    await silent.close();
  });

  const verified = async (over: Environment) => {
    const startedMs = performance.now();
    const reports = await world.verify({ over });
    expect(performance.now() - startedMs).toBeLessThan(ENDS_WITHIN_MS);
    for (const { status, reason } of Object.values(reports)) expect(reason === null).toBe(status === 'holds');
    return reports;
  };
  const withPort = (url: string, port: number): string => Object.assign(new URL(url), { port: String(port) }).href;
  const portOf = { refuses: () => 9, hangs: () => silent.port };

  it.each(['refuses', 'hangs'] as const)('an audit reports its parts as unknown while the database %s', async (how) => {
    const reports = await verified({ DATABASE_URL: withPort(world.database.url, portOf[how]()) });
    const names = store === 'redis' ? DATABASE_PARTS : [...DATABASE_PARTS, ...LEASES_AND_JOBS];
    expect(unsound(reports)).toEqual(unknown(names));
    expect(reports.removed_has_row.reason).toMatch(/postgres/i);
    expect(reports.dead_letter_has_reason.checked).toBe(store === 'redis' ? 1 : 0);
  });

  it.each(['refuses', 'hangs'] as const)('an audit reports containers as unknown while the engine %s', async (how) => {
    const socket = how === 'hangs' ? silent.socketPath : '/nonexistent/engine.sock';
    const reports = await verified({ DOCKER_HOST: `unix://${socket}` });
    expect(unsound(reports)).toEqual(unknown(ENGINE_PARTS));
    expect(reports.removed_has_row.checked).toBe(1);
  });

  const redisWays = store === 'redis' ? (['refuses', 'hangs'] as const) : [];
  it.each(redisWays)('an audit reports leases and jobs as unknown while Redis %s', async (how) => {
    const reports = await verified({ REDIS_URL: `redis://127.0.0.1:${portOf[how]()}` });
    expect(unsound(reports)).toEqual(unknown(LEASES_AND_JOBS));
    expect(reports.lease_has_end.reason).toMatch(/Redis/);
  });

  it('an audit of a database without tables cannot judge records', async () => {
    const empty = Object.assign(new URL(world.database.url), { pathname: '/postgres' }).href;
    const reports = await verified({ DATABASE_URL: empty });
    const reason = 'the database has no tables of this service; "runtime-cleanup migrate" makes them';
    expect(reports.removed_has_row).toMatchObject({ status: 'unknown', reason });
  });
});
