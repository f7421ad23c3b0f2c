/**
 * The engine that answers must be the engine that owns the containers: a service whose engine is replaced, hides its
 * containers or lost them changes no record, says what is wrong, and goes on by itself once the right engine is back.
 */
import { mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PrivateEngine, startPrivateEngine } from '../../scripts/services/engine.mjs';
import { createTestContainers, type TestContainers } from '../support/engine/test-containers.js';
import { eventually } from '../support/eventually.js';
import { type Ask, createWorld, type World } from './operator-world.js';

/** The limit that is promised for readiness; identities are checked every five seconds. */
const NOTICED_WITHIN_MS = 15_000;
const HEALED_WITHIN_MS = 120_000;

let engine: PrivateEngine;
let world: World;
let folder: string;

beforeAll(async () => {
  engine = await startPrivateEngine();
});
afterAll(() => engine.stop());

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'engine-address-'));
  world = await createWorld('redis');
});
afterEach(async () => {
  await world.end();
  rmSync(folder, { recursive: true, force: true });
});

/** Stopped games with a container each; `due` ones are due by retention. */
async function stoppedGames(containers: TestContainers, count: number): Promise<ReadonlyMap<string, string>> {
  const games = new Map<string, string>();
  for (let index = 0; index < count; index++) {
    const gameId = `game-${index}`;
    const containerId = await containers.make('created', { gameLabel: gameId });
    await world.stopped(gameId, 1, containerId);
    games.set(gameId, containerId);
  }
  return games;
}

const enqueue = (games: Iterable<string>): Promise<unknown> => world.command('enqueue', ...games);

async function statuses(): Promise<Readonly<Record<string, number>>> {
  const { rows } = await world.db.query<{ status: string; count: number }>(
    'SELECT status, count(*)::int AS count FROM runtime_records GROUP BY status',
  );
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}

async function removals(): Promise<Readonly<Record<string, number>>> {
  const { rows } = await world.db.query<{ removal: string; count: number }>(
    `SELECT removal, count(*)::int AS count FROM operation_log
     WHERE outcome = 'success' AND error_code = '' AND op_kind = 'cleanup_container' GROUP BY removal`,
  );
  return Object.fromEntries(rows.map(({ removal, count }) => [removal, count]));
}

async function deadLetters(ask: Ask): Promise<number> {
  const { body } = await ask('GET', 'dead-letters');
  return (body as { items: unknown[] }).items.length;
}

/** Readiness turns red with this text; no record has changed by then, and none does in the seconds after. */
async function expectHeld(ask: Ask, games: number, text: RegExp): Promise<void> {
  await eventually(
    async () => {
      const { status, text: said } = await ask('GET', '/readyz');
      expect(said).toMatch(text);
      expect(status).toBe(503);
    },
    { withinMs: NOTICED_WITHIN_MS },
  );
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(await statuses()).toEqual({ stopped: games });
  expect(await deadLetters(ask)).toBe(0);
}

const expectAllRemoved = (games: number): Promise<unknown> =>
  eventually(async () => expect(await statuses()).toEqual({ removed: games }), { withinMs: HEALED_WITHIN_MS });

describe('another empty engine at the address', () => {
  it.each([9, 2])('%i waiting games stay as they are until the right engine is back', async (count) => {
    const address = join(folder, 'engine.sock');
    const other = await startPrivateEngine();
    try {
      symlinkSync(engine.socketPath, address);
      const containers = await createTestContainers(engine.socketPath);
      const games = await stoppedGames(containers, count);
      const { ask, service } = await world.listen('serve', { DOCKER_HOST: `unix://${address}` });
      await service.logged('taking jobs');
      await eventually(async () => expect((await ask('GET', '/readyz')).status).toBe(200));

      rmSync(address);
      symlinkSync(other.socketPath, address);
      await enqueue(games.keys());
      await expectHeld(ask, count, /engines accept default/);

      rmSync(address);
      symlinkSync(engine.socketPath, address);
      await expectAllRemoved(count);
      expect(await removals()).toEqual({ removed: count });
    } finally {
      await other.stop();
    }
  });
});

it('games of an engine that hides its containers behind another storage driver stay as they are', async () => {
  const containers = await createTestContainers(engine.socketPath);
  const games = await stoppedGames(containers, 5);
  const { ask, service } = await world.listen('serve', { DOCKER_HOST: `unix://${engine.socketPath}` });
  await service.logged('taking jobs');

  await engine.restart({ storageDriver: 'vfs' });
  await enqueue(games.keys());
  await expectHeld(ask, 5, /driver vfs/);

  await engine.restart();
  await expectAllRemoved(5);
  expect(await removals()).toEqual({ removed: 5 });
});

it('games of an engine whose data folder is empty stay as they are, although its identity is the same', async () => {
  const containers = await createTestContainers(engine.socketPath);
  const games = await stoppedGames(containers, 12);
  const { ask, service } = await world.listen('serve', { DOCKER_HOST: `unix://${engine.socketPath}` });
  await service.logged('taking jobs');

  await engine.kill();
  renameSync(engine.dataRoot, `${engine.dataRoot}-away`);
  await engine.restart();
  await enqueue(games.keys());
  await expectHeld(ask, 12, /engines accept default/);

  await engine.kill();
  rmSync(engine.dataRoot, { recursive: true, force: true });
  renameSync(`${engine.dataRoot}-away`, engine.dataRoot);
  await engine.restart();
  await expectAllRemoved(12);
  expect(await removals()).toEqual({ removed: 12 });
});

it('one container of several that was removed by hand is recorded as already gone, at once', async () => {
  const containers = await createTestContainers(engine.socketPath);
  const games = await stoppedGames(containers, 5);
  await containers.docker.getContainer(games.get('game-3') ?? '').remove();
  const { service } = await world.listen('serve', { DOCKER_HOST: `unix://${engine.socketPath}` });
  await service.logged('taking jobs');

  const { stdout } = await world.command('enqueue', '--wait', '--json', 'game-3');
  expect(stdout).toContain('already_gone');
  await enqueue(games.keys());
  await expectAllRemoved(5);
  expect(await removals()).toEqual({ removed: 4, already_gone: 1 });
  const { rows } = await world.db.query(`SELECT error_code FROM operation_log WHERE outcome = 'failure'`);
  expect(rows).toEqual([]);
});

it('containers that were all pruned are held, until an operator accepts exactly these as gone', async () => {
  const containers = await createTestContainers(engine.socketPath);
  const games = await stoppedGames(containers, 6);
  for (const id of games.values()) await containers.docker.getContainer(id).remove();
  const { ask, service } = await world.listen('serve', { DOCKER_HOST: `unix://${engine.socketPath}` });
  await service.logged('taking jobs');
  const [later = '', ...asked] = [...games.keys()];
  await enqueue(asked);
  await expectHeld(ask, 6, /engines accept default/);

  const { exitCode } = await world.command('engines', 'accept', 'default', '--by', 'kim');
  expect(exitCode).toBe(0);
  await eventually(async () => expect(await statuses()).toEqual({ removed: 5, stopped: 1 }), {
    withinMs: HEALED_WITHIN_MS,
  });
  expect(await removals()).toEqual({ already_gone: 5 });
  // A container that goes missing later is a new question.
  await enqueue([later]);
  await eventually(async () => {
    const { rows } = await world.db.query('SELECT error_code FROM operation_log WHERE game_id = $1', [later]);
    expect(rows).toContainEqual({ error_code: 'engine_mismatch' });
  });
  expect(await world.statusOf(later)).toBe('stopped');
});

it('a burst of missing containers is held, counted over all workers, although others are there', async () => {
  const containers = await createTestContainers(engine.socketPath);
  const games = await stoppedGames(containers, 30);
  const missing = [...games.keys()].slice(0, 20);
  for (const gameId of missing) await containers.docker.getContainer(games.get(gameId) ?? '').remove();
  const workers = [1, 2].map(() => world.run(['worker'], { DOCKER_HOST: `unix://${engine.socketPath}` }));
  await Promise.all(workers.map((worker) => worker.logged('taking jobs')));
  await enqueue(missing);
  await eventually(
    async () => {
      const { rows } = await world.db.query(
        `SELECT count(DISTINCT game_id)::int AS held FROM operation_log WHERE error_code = 'engine_mismatch'`,
      );
      expect(rows).toEqual([{ held: 10 }]);
    },
    { withinMs: 30_000 },
  );
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(await removals()).toEqual({ already_gone: 10 });
  expect(await statuses()).toEqual({ removed: 10, stopped: 20 });
});
