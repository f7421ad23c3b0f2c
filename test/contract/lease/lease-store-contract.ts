import { describe, expect, test } from 'vitest';
import { newLeaseToken } from '../../../src/app/random.js';
import type { LeaseStore } from '../../../src/lease/lease-store.js';
import { openForAllTests } from '../hooks.js';

export interface LeaseStoreUnderTest {
  readonly store: LeaseStore;
  /** The remaining time of the lease by the store's own clock; 0 when there is no lease or it has expired. */
  readonly remainingMs: (gameId: string) => Promise<number>;
  /** Resolves when the lease has expired by the store's own clock. */
  readonly untilExpired: (gameId: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

const TTL_MS = 60_000;
/**
 * A store keeps the end of a lease in whole milliseconds and may round it up: PostgreSQL's column rounds to the nearest
 * one, so a read within that fraction of a millisecond finds a little more time left than was requested.
 */
const STORE_ROUNDING_MS = 1;
const LONGEST_LEFT_MS = TTL_MS + STORE_ROUNDING_MS;
/** Short enough to wait for, long enough for two calls on a slow machine. */
const SHORT_TTL_MS = 400;
const ROUNDS = 5;
const CONTENDERS = 20;

const UNUSUAL_GAME_IDS: Readonly<Record<string, string>> = {
  'with an emoji': 'game-🎲',
  'with a colon': 'a:b',
  'like a Redis key of a lease': 'rtmanager:game_lease:YQ',
  'of 256 characters': 'g'.repeat(256),
  'of 256 characters beyond the basic plane': '🎲'.repeat(256),
  'with quotes and a backslash': `o'brien "the" \\ game`,
  'like a statement': `x'); DROP TABLE game_leases; --`,
  'with braces, as in a hash tag': '{a}{b}',
  'with inner spaces and a percent sign': 'a b %20 c',
  'that differs only in Unicode normal form (composed)': 'caf\u00e9',
  'that differs only in Unicode normal form (decomposed)': 'cafe\u0301',
};

let games = 0;
const newGame = (): string => {
  games += 1;
  return `game-${games}`;
};

/** What every lease store promises; `open` gives one whose games are all free. */
export function leaseStoreContract(name: string, open: () => Promise<LeaseStoreUnderTest>): void {
  describe(`a lease store: ${name}`, () => {
    let subject: LeaseStoreUnderTest;
    let store: LeaseStore;
    openForAllTests(open, (opened) => {
      subject = opened;
      ({ store } = subject);
    });

    test('a free lease is acquired for the requested time', async () => {
      const game = newGame();
      expect(await store.acquire(game, newLeaseToken(), TTL_MS)).toBe(true);
      const remainingMs = await subject.remainingMs(game);
      expect(remainingMs).toBeGreaterThan(TTL_MS - 10_000);
      expect(remainingMs).toBeLessThan(LONGEST_LEFT_MS);
    });

    test('a held lease is refused to another token and stays unchanged', async () => {
      const game = newGame();
      const holder = newLeaseToken();
      await store.acquire(game, holder, TTL_MS);
      expect(await store.acquire(game, newLeaseToken(), 10 * TTL_MS)).toBe(false);
      expect(await subject.remainingMs(game)).toBeLessThan(LONGEST_LEFT_MS);
      expect(await store.renew(game, holder, TTL_MS)).toBe(true);
    });

    test('an expired lease can be acquired by a new holder, and its old holder can neither renew nor release it', async () => {
      const game = newGame();
      const [old, next] = [newLeaseToken(), newLeaseToken()];
      expect(await store.acquire(game, old, SHORT_TTL_MS)).toBe(true);
      await subject.untilExpired(game);
      expect(await store.acquire(game, next, TTL_MS)).toBe(true);
      expect(await store.renew(game, old, TTL_MS)).toBe(false);
      expect(await store.release(game, old)).toBe(false);
      expect(await store.renew(game, next, TTL_MS)).toBe(true);
    });

    test('an expired lease cannot be renewed by its holder, even without another holder', async () => {
      const game = newGame();
      const holder = newLeaseToken();
      await store.acquire(game, holder, SHORT_TTL_MS);
      await subject.untilExpired(game);
      expect(await store.renew(game, holder, TTL_MS)).toBe(false);
      expect(await store.release(game, holder)).toBe(false);
    });

    test('a renewal sets the remaining time anew', async () => {
      const game = newGame();
      const holder = newLeaseToken();
      await store.acquire(game, holder, TTL_MS);
      expect(await store.renew(game, holder, 2 * TTL_MS)).toBe(true);
      expect(await subject.remainingMs(game)).toBeGreaterThan(LONGEST_LEFT_MS);
      expect(await store.renew(game, holder, TTL_MS)).toBe(true);
      expect(await subject.remainingMs(game)).toBeLessThan(LONGEST_LEFT_MS);
    });

    test('a released lease is free at once, and a second release is refused', async () => {
      const game = newGame();
      const holder = newLeaseToken();
      await store.acquire(game, holder, TTL_MS);
      expect(await store.release(game, holder)).toBe(true);
      expect(await subject.remainingMs(game)).toBe(0);
      expect(await store.release(game, holder)).toBe(false);
      expect(await store.renew(game, holder, TTL_MS)).toBe(false);
      expect(await store.acquire(game, newLeaseToken(), TTL_MS)).toBe(true);
    });

    test('a foreign token can neither renew nor release a lease', async () => {
      const game = newGame();
      const [holder, foreign] = [newLeaseToken(), newLeaseToken()];
      await store.acquire(game, holder, TTL_MS);
      expect(await store.renew(game, foreign, 10 * TTL_MS)).toBe(false);
      expect(await store.release(game, foreign)).toBe(false);
      expect(await subject.remainingMs(game)).toBeLessThan(LONGEST_LEFT_MS);
      expect(await store.release(game, holder)).toBe(true);
    });

    test('a lease that was never acquired can be neither renewed nor released', async () => {
      const game = newGame();
      expect(await store.renew(game, newLeaseToken(), TTL_MS)).toBe(false);
      expect(await store.release(game, newLeaseToken())).toBe(false);
      expect(await subject.remainingMs(game)).toBe(0);
    });

    test(`exactly one of ${CONTENDERS} concurrent callers acquires a free lease, in each of ${ROUNDS} rounds on one game`, async () => {
      const game = newGame();
      for (let round = 0; round < ROUNDS; round += 1) {
        const winners = await contend(store, game, TTL_MS);
        expect(winners).toHaveLength(1);
        expect(await store.release(game, winners[0] ?? '')).toBe(true);
      }
    });

    test(`exactly one of ${CONTENDERS} concurrent callers acquires an expired lease`, async () => {
      const game = newGame();
      await store.acquire(game, newLeaseToken(), SHORT_TTL_MS);
      await subject.untilExpired(game);
      expect(await contend(store, game, TTL_MS)).toHaveLength(1);
    });

    test('the leases of two games are independent', async () => {
      const [one, other] = [newGame(), newGame()];
      const token = newLeaseToken();
      await store.acquire(one, token, TTL_MS);
      expect(await store.acquire(other, newLeaseToken(), TTL_MS)).toBe(true);
      expect(await store.release(other, token)).toBe(false);
    });

    test('unusual game ids have independent leases', async () => {
      const holders = new Map<string, string>();
      for (const gameId of Object.values(UNUSUAL_GAME_IDS)) {
        const token = newLeaseToken();
        expect(await store.acquire(gameId, token, TTL_MS)).toBe(true);
        holders.set(gameId, token);
      }
      for (const [gameId, token] of holders) expect(await store.release(gameId, token)).toBe(true);
    });

    test.each(Object.entries(UNUSUAL_GAME_IDS))(
      'a lease of a game id %s can be acquired, renewed and released',
      async (_what, gameId) => {
        const token = newLeaseToken();
        expect(await store.acquire(gameId, token, TTL_MS)).toBe(true);
        expect(await store.acquire(gameId, newLeaseToken(), TTL_MS)).toBe(false);
        expect(await store.renew(gameId, token, TTL_MS)).toBe(true);
        expect(await store.release(gameId, token)).toBe(true);
      },
    );
  });
}

/** The tokens whose acquisition succeeded. */
async function contend(store: LeaseStore, gameId: string, ttlMs: number): Promise<readonly string[]> {
  const tokens = Array.from({ length: CONTENDERS }, newLeaseToken);
  const answers = await Promise.all(tokens.map((token) => store.acquire(gameId, token, ttlMs)));
  return tokens.filter((_token, at) => answers[at] === true);
}
