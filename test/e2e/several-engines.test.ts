/**
 * Several engines in one queue: an engine that does not answer holds up its own jobs and no others, and one container in
 * trouble is not an engine in trouble.
 */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { type PrivateEngine, startPrivateEngine } from '../../scripts/services/engine.mjs';
import { startEngineFaultProxy } from '../support/engine/engine-fault-proxy.js';
import { createTestContainers } from '../support/engine/test-containers.js';
import { eventually } from '../support/eventually.js';
import { createWorld, type Listening, type Store, type World } from './operator-world.js';

const NAMES = ['default', 'eu-1', 'eu-2'] as const;
/** The engine that stops. */
const STOPPED = 'eu-2';
const GAMES = 12;
const ENDED_WITHIN_MS = 60_000;

let world: World;
afterEach(() => world.end());

async function makeGame(name: string, socketPath: string, gameId: string): Promise<string> {
  const containers = await createTestContainers(socketPath);
  const containerId = await containers.make('created', { gameLabel: gameId });
  await world.stopped(gameId, 1, containerId);
  const text = 'UPDATE runtime_records SET docker_host = $2 WHERE game_id = $1';
  await world.db.query(text, [gameId, name === 'default' ? null : name]);
  return containerId;
}

/** The games that are removed, by their engine. */
async function removed(prefix: string): Promise<Readonly<Record<string, number>>> {
  const { rows } = await world.db.query<{ name: string; count: number }>(
    `SELECT coalesce(docker_host, 'default') AS name, count(*)::int AS count FROM runtime_records
     WHERE status = 'removed' AND starts_with(game_id, $1) GROUP BY 1`,
    [prefix],
  );
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
}

const untilRemoved = (prefix: string, expected: Readonly<Record<string, unknown>>): Promise<unknown> =>
  eventually(async () => expect(await removed(prefix)).toEqual(expected), { withinMs: ENDED_WITHIN_MS });

/** The most rows of failures that one game has. */
async function mostFailures(): Promise<number> {
  const { rows } = await world.db.query<{ most: number }>(
    `SELECT coalesce(max(rows), 0)::int AS most FROM
     (SELECT count(*) AS rows FROM operation_log WHERE outcome = 'failure' GROUP BY game_id) AS failures`,
  );
  return rows[0]?.most ?? 0;
}

async function deadLetters({ ask }: Listening): Promise<unknown> {
  return ((await ask('GET', 'dead-letters')).body as { items: unknown[] }).items;
}

describe('three engines in one queue', () => {
  const engines = new Map<string, PrivateEngine>();
  const folder = mkdtempSync(join(tmpdir(), 'several-engines-'));
  const addressOf = (name: string): string => join(folder, `${name}.sock`);
  const socketOf = (name: string): string => engines.get(name)?.socketPath ?? '';

  beforeAll(async () => {
    for (const name of NAMES) {
      engines.set(name, await startPrivateEngine());
      symlinkSync(socketOf(name), addressOf(name));
    }
  });
  afterAll(async () => {
    for (const engine of engines.values()) await engine.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const settings = {
    DOCKER_HOST: `unix://${addressOf('default')}`,
    RTMANAGER_DOCKER_HOSTS: ['eu-1', 'eu-2'].map((name) => `${name}=unix://${addressOf(name)}`).join(','),
  };

  /** Games of all engines, which take turns in the queue. */
  async function makeGames(prefix: string): Promise<readonly string[]> {
    const games: string[] = [];
    for (let index = 0; index < GAMES; index++) {
      for (const name of NAMES) {
        const gameId = `${prefix}-${name}-${index}`;
        await makeGame(name, socketOf(name), gameId);
        games.push(gameId);
      }
    }
    return games;
  }

  const frozen = {
    begin: () => engines.get(STOPPED)?.signal('SIGSTOP'),
    end: () => engines.get(STOPPED)?.signal('SIGCONT'),
  };
  const unreachable = {
    begin: () => rmSync(addressOf(STOPPED)),
    end: () => symlinkSync(socketOf(STOPPED), addressOf(STOPPED)),
  };

  // Each fault and each store once: no code knows both how an engine is silent and where the jobs are kept.
  const situations: readonly (readonly [string, typeof frozen | typeof unreachable, Store])[] = [
    ['stopped by SIGSTOP', frozen, 'redis'],
    ['without a socket', unreachable, 'postgres'],
  ];

  it.each(situations)(
    'one engine %s delays its own games only, which end when it is back (%#)',
    async (...situation) => {
      const [, fault, store] = situation;
      world = await createWorld(store);
      const service = await world.listen('serve', settings);
      await service.service.logged('taking jobs');

      const before = await makeGames('before');
      fault.begin();
      try {
        await world.command('enqueue', ...before);
        await untilRemoved('before', { default: GAMES, 'eu-1': GAMES });
      } finally {
        fault.end();
      }
      await untilRemoved('before', { default: GAMES, 'eu-1': GAMES, 'eu-2': GAMES });

      const during = await makeGames('during');
      await world.command('enqueue', ...during);
      await eventually(async () => expect(await removed('during')).toHaveProperty(STOPPED));
      fault.begin();
      const atStop = (await removed('during'))[STOPPED] ?? 0;
      try {
        await untilRemoved('during', { default: GAMES, 'eu-1': GAMES, 'eu-2': expect.any(Number) });
        // Removals that the engine had carried out by then may still be recorded.
        expect(atStop).toBeGreaterThan(0);
      } finally {
        fault.end();
      }
      await untilRemoved('during', { default: GAMES, 'eu-1': GAMES, 'eu-2': GAMES });

      expect(await deadLetters(service)).toEqual([]);
      expect(await mostFailures()).toBeLessThanOrEqual(3);
    },
  );

  it('a game of an engine that no worker knows stays as it is, and the log and doctor name the engine', async () => {
    world = await createWorld('redis');
    const { service } = await world.listen('serve', settings);
    await service.logged('taking jobs');
    await makeGame('mars', socketOf('default'), 'lost');
    await makeGame('eu-1', socketOf('eu-1'), 'known');
    await world.command('enqueue', 'lost', 'known');
    await untilRemoved('known', { 'eu-1': 1 });
    await eventually(async () => {
      const { rows } = await world.db.query(
        `SELECT error_code, error_message FROM operation_log WHERE game_id = 'lost' LIMIT 1`,
      );
      expect(rows).toEqual([
        { error_code: 'service_unavailable', error_message: expect.stringContaining('no engine is named "mars"') },
      ]);
    });
    expect(await world.statusOf('lost')).toBe('stopped');
    const doctor = world.run(['doctor'], settings);
    await doctor.exit;
    expect(doctor.stdout()).toContain('mars');
  });
});

describe('containers that the engine cannot inspect', () => {
  const SAID = 'layer does not exist';
  const attempts = async (prefix: string): Promise<readonly Attempt[]> =>
    (
      await world.db.query<Attempt>(
        `SELECT game_id AS game, outcome, error_code AS code, error_message AS message,
           extract(epoch FROM started_at - lag(finished_at) OVER (PARTITION BY game_id ORDER BY id))::float8 AS delay,
           row_number() OVER (PARTITION BY game_id ORDER BY id)::int AS nth
         FROM operation_log WHERE starts_with(game_id, $1) ORDER BY id`,
        [prefix],
      )
    ).rows;

  it('thirty of them delay no healthy game behind them, and are retried with growing delays', async () => {
    const proxy = await startEngineFaultProxy({ engineSocket: inject('engineSocket') });
    try {
      world = await createWorld('redis');
      const broken = Array.from({ length: 30 }, (_, index) => `broken-${index}`);
      const healthy = Array.from({ length: 20 }, (_, index) => `healthy-${index}`);
      const ids = new Set<string>();
      for (const gameId of broken) ids.add(await makeGame('default', inject('engineSocket'), gameId));
      for (const gameId of healthy) await makeGame('default', inject('engineSocket'), gameId);
      proxy.use(({ url }) => {
        const id = /\/containers\/([0-9a-f]{64})\/json/.exec(url)?.[1];
        return id !== undefined && ids.has(id) ? { kind: 'status', status: 500, message: SAID } : undefined;
      });
      const worker = world.run(['worker'], { DOCKER_HOST: proxy.host });
      await worker.logged('taking jobs');
      await world.command('enqueue', ...broken, ...healthy);

      await untilRemoved('', { default: healthy.length });
      // Each at its first attempt: no breaker has opened before them.
      expect((await attempts('healthy')).map(({ outcome }) => outcome)).toEqual(healthy.map(() => 'success'));
      await eventually(
        async () => {
          const fourth = (await attempts('broken')).filter(({ nth }) => nth === 4);
          expect(fourth).toHaveLength(broken.length);
        },
        { withinMs: ENDED_WITHIN_MS },
      );
      const failed = await attempts('broken');
      expect(new Set(failed.map(({ code }) => code))).toEqual(new Set(['service_unavailable']));
      expect(failed.filter(({ message }) => !message.includes(SAID))).toEqual([]);
      for (const { nth, delay } of failed.filter(({ nth }) => nth > 1)) {
        // Doubled each time, and spread by a fifth.
        expect(delay).toBeGreaterThanOrEqual(0.75 * 2 ** (nth - 2));
      }
      expect(worker.stdout()).not.toContain('dependency unavailable');
    } finally {
      await proxy.close();
    }
  });
});

interface Attempt {
  readonly game: string;
  readonly outcome: string;
  readonly code: string;
  readonly message: string;
  /** Seconds since the end of the attempt before; null for the first. */
  readonly delay: number | null;
  readonly nth: number;
}
