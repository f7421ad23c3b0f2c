import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPostgresLeaseStore } from '../../../src/adapters/postgres/lease-store.js';
import { createPool } from '../../../src/adapters/postgres/pool.js';
import { systemClock } from '../../../src/async/clock.js';
import type { LeaseStore } from '../../../src/lease/lease-store.js';
import { createLeases, type Leases } from '../../../src/lease/with-lease.js';
import { newLeaseToken } from '../../../src/app/random.js';
import {
  type ConnectedStore,
  LEASE_BACKENDS,
  type LeaseBackend,
  startPostgresBackend,
  startRedisBackend,
} from '../../support/lease-backends.js';
import { createDatabase } from '../../support/postgres/database.js';
import { eventually } from '../../support/eventually.js';

const TTL_MS = 30_000;
const { signal } = new AbortController();

const leasesOn = (store: LeaseStore): Leases =>
  createLeases(
    {
      store,
      clock: systemClock,
      newToken: newLeaseToken,
      releaseFailed: (_gameId, cause) => expect.unreachable(String(cause)),
    },
    { ttlMs: TTL_MS },
  );

describe.each(LEASE_BACKENDS)('leases on %s', (_name, startBackend) => {
  let backend: LeaseBackend;
  let connected: readonly ConnectedStore[];
  beforeAll(async () => {
    backend = await startBackend();
    connected = await Promise.all(Array.from({ length: 4 }, () => backend.connect()));
  });
  afterAll(async () => {
    await Promise.all(connected.map(({ close }) => close()));
    await backend.stop();
  });

  test('twenty contenders over four clients work on one game one after the other, each once', async () => {
    let inside = 0;
    let mostInside = 0;
    const order: number[] = [];
    const contender = async ({ store }: ConnectedStore, n: number): Promise<void> => {
      const { withLease } = leasesOn(store);
      await eventually(
        async () => {
          const ending = await withLease('contended', signal, async (lease) => {
            inside += 1;
            mostInside = Math.max(mostInside, inside);
            // A call of the store gives the others time to get in.
            expect(await store.acquire('contended', newLeaseToken(), TTL_MS)).toBe(false);
            lease.assertHeld();
            inside -= 1;
            order.push(n);
          });
          expect(ending.status).toBe('done');
        },
        { withinMs: 30_000 },
      );
    };
    const contenders = Array.from({ length: 5 }, () => connected).flat();
    expect(contenders).toHaveLength(20);
    await Promise.all(contenders.map(contender));
    expect(mostInside).toBe(1);
    expect(order.toSorted((a, b) => a - b)).toEqual([...contenders.keys()]);
  });
});

describe('a foreign client of Redis that follows the contract by hand', () => {
  let backend: LeaseBackend;
  let ours: ConnectedStore;
  let foreign: Redis;
  beforeAll(async () => {
    backend = await startRedisBackend();
    ours = await backend.connect();
    foreign = new Redis(backend.url);
  });
  afterAll(async () => {
    foreign.disconnect();
    await ours.close();
    await backend.stop();
  });

  const keyOf = (gameId: string): string =>
    `rtmanager:game_lease:${Buffer.from(gameId, 'utf8').toString('base64').replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;

  test.each(['game-1', 'a:b', '🎲', 'o\'brien "x"', '>>>???'])(
    'a foreign client and this program exclude each other from the game %s',
    async (game) => {
      const { withLease } = leasesOn(ours.store);
      expect(await foreign.set(keyOf(game), 'their token', 'PX', TTL_MS, 'NX')).toBe('OK');
      expect(await withLease(game, signal, async () => expect.unreachable())).toEqual({ status: 'busy' });
      expect(await foreign.get(keyOf(game))).toBe('their token');
      await foreign.del(keyOf(game));

      const ending = await withLease(game, signal, async () => {
        const taken = await foreign.set(keyOf(game), 'their token', 'PX', TTL_MS, 'NX');
        const lifeMs = await foreign.pttl(keyOf(game));
        return { taken, lifeIsOurs: lifeMs > 0 && lifeMs <= TTL_MS, token: await foreign.get(keyOf(game)) };
      });
      expect(ending).toEqual({
        status: 'done',
        value: { taken: null, lifeIsOurs: true, token: expect.stringMatching(/^[\w-]{43}$/) as string },
      });
      expect(await foreign.exists(keyOf(game))).toBe(0);
    },
  );

  test('the key of game-1 in Redis is the one that the contract names', () => {
    expect(keyOf('game-1')).toBe('rtmanager:game_lease:Z2FtZS0x');
  });
});

describe('the table game_leases', () => {
  let backend: LeaseBackend;
  let ours: ConnectedStore;
  let pool: ReturnType<typeof createPool>;
  beforeAll(async () => {
    backend = await startPostgresBackend();
    ours = await backend.connect();
    pool = createPool({ connectionString: backend.url, applicationName: 'test', max: 2 }, () => undefined);
  });
  afterAll(async () => {
    await pool.end();
    await ours.close();
    await backend.stop();
  });
  const rowOf = async (game: string): Promise<unknown> => {
    const { rows } = await pool.query<Record<string, unknown>>(
      'SELECT token, fence, expires_at <= now() AS over FROM game_leases WHERE game_id = $1',
      [game],
    );
    return rows[0];
  };

  test('the fence in PostgreSQL rises with each holder and never goes back, also after a release', async () => {
    const { store } = ours;
    const [first, second] = [newLeaseToken(), newLeaseToken()];
    await store.acquire('fenced', first, TTL_MS);
    expect(await rowOf('fenced')).toEqual({ token: first, fence: '1', over: false });
    await store.renew('fenced', first, TTL_MS);
    expect(await rowOf('fenced')).toEqual({ token: first, fence: '1', over: false });
    expect(await store.acquire('fenced', second, TTL_MS)).toBe(false);
    expect(await rowOf('fenced')).toEqual({ token: first, fence: '1', over: false });
    await store.release('fenced', first);
    expect(await rowOf('fenced')).toEqual({ token: first, fence: '1', over: true });
    await store.acquire('fenced', second, TTL_MS);
    expect(await rowOf('fenced')).toEqual({ token: second, fence: '2', over: false });
  });

  test('PostgreSQL gives a released lease to the next holder in the same millisecond', async () => {
    const { store } = ours;
    for (let round = 0; round < 200; round += 1) {
      const token = newLeaseToken();
      expect(await store.acquire('quick', token, TTL_MS)).toBe(true);
      expect(await store.release('quick', token)).toBe(true);
    }
  });

  test('a database without the lease table is a bug, not an outage', async () => {
    const empty = await createDatabase();
    const bare = createPool({ connectionString: empty.url, applicationName: 'test', max: 1 }, () => undefined);
    try {
      const { withLease } = leasesOn(createPostgresLeaseStore({ pool: bare }));
      const ending = withLease('game', signal, async () => expect.unreachable());
      await expect(ending).rejects.toMatchObject({ code: '42P01' });
    } finally {
      await bare.end();
      await empty.drop();
    }
  });
});
