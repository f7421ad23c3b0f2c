/** Worker, API and commands on a Redis Cluster and on Redis with sentinels, also while a master is replaced. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type EngineFaultProxy, startEngineFaultProxy } from '../support/engine/engine-fault-proxy.js';
import { eventually } from '../support/eventually.js';
import { startRedisCluster } from '../support/redis/cluster.js';
import { startRedisSentinels } from '../support/redis/sentinels.js';
import { PREFIX } from '../../src/adapters/bullmq/names.js';
import { createWorld, type Listening, type World } from './operator-world.js';

const GAMES_OF_A_DAY = 20;
const GAMES = 12;
/** What was promised is ten seconds after the failover, which itself takes about three here. */
const BACK_WITHIN_MS = 40_000;
const ASK_AGAIN_EVERY_MS = 500;

interface Servers {
  readonly url: string;
  readonly switchMaster: () => Promise<void>;
  readonly killMaster: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** The masters in question are those of the queue. */
async function startCluster(): Promise<Servers> {
  const { url, stop, switchMasterOf, killMasterOf } = await startRedisCluster();
  return { url, stop, switchMaster: () => switchMasterOf(PREFIX), killMaster: () => killMasterOf(PREFIX) };
}

describe.each([
  ['a Redis Cluster', startCluster],
  ['Redis with sentinels', startRedisSentinels],
] as const)('on %s', (_name, start) => {
  let servers: Servers;
  let engine: EngineFaultProxy;
  let world: World;
  let serving: Listening;

  beforeAll(async () => {
    servers = await start();
    engine = await startEngineFaultProxy({ engineSocket: inject('engineSocket') });
    world = await createWorld('redis', { redisUrl: servers.url });
    serving = await world.listen('serve', { DOCKER_HOST: `unix://${engine.socketPath}` });
    await serving.service.logged('taking jobs');
  });
  afterAll(async () => {
    await world.end();
    await engine.close();
    await servers.stop();
  });

  async function makeGames(name: string, count: number): Promise<readonly string[]> {
    const games = Array.from({ length: count }, (_, index) => `${name}-${index}`);
    for (const gameId of games) {
      await world.stopped(gameId, 1, await world.containers.make('created', { gameLabel: gameId }));
    }
    return games;
  }

  const removedOf = async (games: readonly string[]): Promise<readonly string[]> => {
    const text = `SELECT game_id FROM runtime_records WHERE status = 'removed' AND game_id = ANY($1)`;
    return (await world.db.query<{ game_id: string }>(text, [games])).rows.map((row) => row.game_id);
  };

  const deadLetters = async (): Promise<readonly { readonly jobId: string }[]> => {
    const { body } = await serving.ask('GET', 'dead-letters');
    return (body as { items: { jobId: string }[] }).items;
  };

  /**
   * Asks for each game while `change` happens in the midst of it, and waits until all are removed. Redis may lose what the
   * replica had not copied yet, so a game that is left is asked for again, as the next sweep does.
   */
  async function removeDuring(games: readonly string[], change: () => Promise<void>): Promise<void> {
    engine.use(({ method }) => (method === 'DELETE' ? { kind: 'delay', ms: 200 } : undefined));
    const asked = Promise.all(
      games.map((gameId) =>
        eventually(async () => expect((await serving.ask('DELETE', `runtimes/${gameId}/container`)).status).toBe(202), {
          withinMs: BACK_WITHIN_MS,
        }),
      ),
    );
    await eventually(async () => expect(await removedOf(games)).not.toEqual([]), { withinMs: BACK_WITHIN_MS });
    await change();
    await asked;
    await eventually(
      async () => {
        const removed = await removedOf(games);
        for (const gameId of games.filter((game) => !removed.includes(game))) {
          await serving.ask('DELETE', `runtimes/${gameId}/container`);
        }
        if (removed.length < GAMES) await sleep(ASK_AGAIN_EVERY_MS);
        expect(removed).toHaveLength(GAMES);
      },
      { withinMs: BACK_WITHIN_MS },
    );
    engine.use(() => undefined);
    await eventually(async () => expect(await serving.ask('GET', '/readyz')).toMatchObject({ status: 200 }), {
      withinMs: BACK_WITHIN_MS,
    });
  }

  it('cleanups are done, and a dead letter is listed and replayed', async () => {
    const games = await makeGames('day', GAMES_OF_A_DAY);
    expect(await world.command('enqueue', ...games, '--wait')).toMatchObject({ exitCode: 0 });
    expect(await removedOf(games)).toHaveLength(GAMES_OF_A_DAY);

    const asked = await serving.ask('DELETE', 'runtimes/unknown-game/container', { headers: { prefer: 'wait=20' } });
    expect(asked).toMatchObject({ status: 404 });
    const [dead] = await deadLetters();
    await world.stopped('unknown-game', 1);
    expect(await serving.ask('POST', `dead-letters/${dead?.jobId}/replay`)).toMatchObject({ status: 202 });
    await world.untilRemoved('unknown-game');
    expect(await deadLetters()).toEqual([]);
  });

  it('every game is removed although a replica becomes the master by an operator’s command in the midst of work', async () => {
    await removeDuring(await makeGames('switched', GAMES), servers.switchMaster);
    expect(await deadLetters()).toEqual([]);
  });

  it('every game is removed although the master is killed in the midst of work; readiness fails until a replica has its place, and every invariant holds', async () => {
    const games = await makeGames('killed', GAMES);
    await removeDuring(games, async () => {
      await servers.killMaster();
      await eventually(async () => expect(await serving.ask('GET', '/readyz')).toMatchObject({ status: 503 }));
    });
    expect(await deadLetters()).toEqual([]);
    const { rows } = await world.db.query(
      `SELECT game_id FROM operation_log WHERE outcome = 'success' AND error_code = '' GROUP BY game_id HAVING count(*) > 1`,
    );
    expect(rows).toEqual([]);
    expect(await world.command('verify', '--strict')).toMatchObject({ exitCode: 0 });
    serving.service.signal('SIGTERM');
    expect(await serving.service.exit).toBe(0);
    expect(serving.service.stderr()).toBe('');
  });
});
