/** The lease of the game in either store: held by another operation, lost at every stage, and impossible to release. */
// oxlint-disable vitest/no-standalone-expect -- `provokes` defines the test
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest';
import { leaseKey } from '../../../src/adapters/redis/lease-store.js';
import { startRedis, type TestRedis } from '../../support/redis.js';
import { startTcpFaultProxy, type TcpFaultProxy } from '../../support/network/tcp-fault-proxy.js';
import { provokes } from './catalogue/provokes.js';
import type { Ended, Moments, Rig } from './rig.js';
import { type Game, onEach, openSite, type Site } from './site.js';

const LEASE_MS = 2_000;
const LONG_MS = 3_600_000;

let site: Site;
let server: TestRedis;
let redis: Redis;
beforeAll(async () => {
  site = await openSite();
  server = await startRedis();
  redis = new Redis(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await site.stop();
  await server.stop();
});
afterEach(() => site.containers.clear());

const stores = {
  Redis: {
    port: () => server.port,
    through: (line: TcpFaultProxy) => ({ redisUrl: line.urlFor(server.url) }),
    /** Replaces the token by that of another holder. */
    seize: ({ gameId }: Game): Promise<unknown> => redis.set(leaseKey(gameId), 'their token', 'PX', LONG_MS),
  },
  PostgreSQL: {
    port: () => Number(new URL(site.databaseUrl).port),
    through: (line: TcpFaultProxy) => ({ databaseUrl: line.urlFor(site.databaseUrl) }),
    seize: ({ gameId }: Game): Promise<unknown> =>
      site.pool.query(
        `INSERT INTO game_leases (game_id, token, expires_at, fence) VALUES ($1, 'theirs', now() + interval '1 hour', 1)
         ON CONFLICT (game_id) DO UPDATE SET token = excluded.token, expires_at = excluded.expires_at`,
        [gameId],
      ),
  },
} as const;

describe.each(['Redis', 'PostgreSQL'] as const)('a lease in %s', (name) => {
  const store = stores[name];
  let line: TcpFaultProxy;
  let rig: Rig;
  beforeEach(async () => {
    line = await startTcpFaultProxy({ port: store.port() });
    rig = await site.rig({ ...store.through(line), leaseTtlMs: LEASE_MS });
    site.proxy.use(() => undefined);
  });
  afterEach(() => line.close());

  const removalsAsked = (): number => site.proxy.requests().filter(({ method }) => method === 'DELETE').length;
  const lost = (signal: AbortSignal): Promise<unknown> =>
    new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  const withGame = (provoke: (game: Game) => Promise<Ended>) => async (): Promise<Ended> => provoke(await site.game());
  const beforeRemoval = (moments: (game: Game) => Moments) =>
    withGame(async (game) => {
      const ended = await rig.run(game.job(), moments(game));
      expect(removalsAsked()).toBe(0);
      expect(await site.containers.stateOf(game.containerId)).toBe('created');
      return ended;
    });

  provokes(
    'lease-held-by-another',
    /^another operation holds the lease of this game$/,
    withGame(async (game) => {
      await store.seize(game);
      return rig.run(game.job());
    }),
    name,
  );

  provokes(
    'lease-held-by-another-for-sweep',
    /^another operation holds the lease of this game$/,
    withGame(async (game) => {
      await store.seize(game);
      return rig.run(game.sweepJob());
    }),
    name,
  );

  provokes(
    'lease-taken-before-removal',
    /^the store says that it ran out or that another token holds it; nothing was changed$/,
    beforeRemoval((game) => ({
      looked: async (signal) => {
        await store.seize(game);
        await lost(signal);
      },
    })),
    name,
  );

  provokes(
    'lease-outlived-before-removal',
    /^it was not confirmed in time to be trusted any longer; nothing was changed$/,
    beforeRemoval(() => ({ looked: async () => rig.standStill(LEASE_MS) })),
    name,
  );

  provokes(
    'lease-lost-while-removing',
    /another token holds it.*; the removal was asked for and may be carried out, and the next attempt will look again$/,
    withGame(async (game) => {
      site.proxy.use(onEach('DELETE', { kind: 'hang-after' }));
      const running = rig.run(game.job());
      await site.proxy.until(() => expect(site.proxy.requests()[1]).toMatchObject({ engineStatus: 204 }));
      await store.seize(game);
      const ended = await running;
      expect(await site.statusOf(game)).toBe('stopped');
      return ended;
    }),
    name,
  );

  provokes(
    'lease-outlived-after-removal',
    /; the container is gone, and the next attempt will change the record$/,
    withGame(async (game) => {
      const ended = await rig.run(game.job(), { removed: async () => rig.standStill(LEASE_MS) });
      expect(await site.containers.stateOf(game.containerId)).toBe('missing');
      expect(await site.statusOf(game)).toBe('stopped');
      return ended;
    }),
    name,
  );
});

describe('a lease whose store becomes unavailable', () => {
  let line: TcpFaultProxy;
  beforeEach(async () => {
    line = await startTcpFaultProxy({ port: server.port });
  });
  afterEach(() => line.close());

  provokes(
    'lease-runs-out-before-removal',
    /^it was not confirmed in time to be trusted any longer; the last renewal failed: .+; nothing was changed$/,
    async () => {
      const rig = await site.rig({ redisUrl: line.urlFor(server.url), leaseTtlMs: LEASE_MS });
      const game = await site.game();
      const ended = await rig.run(game.job(), {
        looked: async (signal) => {
          await line.use('refuse');
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        },
      });
      expect(await site.containers.stateOf(game.containerId)).toBe('created');
      return ended;
    },
  );

  provokes('lease-cannot-be-released', /^$/, async () => {
    const rig = await site.rig({ redisUrl: line.urlFor(server.url) });
    const game = await site.game();
    const ended = await rig.run(game.job(), { removed: () => line.use('refuse') });
    expect(ended.leasesNotReleased).toBe(1);
    expect(await site.statusOf(game)).toBe('removed');
    return ended;
  });
});
