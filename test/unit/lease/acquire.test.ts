import { getEventListeners } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { ConfigurationError, UnavailableError, WeakTokenError } from '../../../src/domain/errors.js';
import { createLeases, type LeaseDeps } from '../../../src/lease/with-lease.js';
import { createManualClock } from '../../support/manual-clock.js';
import { answerLost, createFakeLeaseStore, down, silent } from './fake-lease-store.js';
import { ANSWER_TIMEOUT_MS, createLeaseWorld, GAME, later, startWork, TRUST_MS, TTL_MS } from './lease-world.js';

const TOKEN = 't'.repeat(43);
// Asserted in the tests themselves, because a failed assertion inside the work would count as an error of the work.
const neverStarted = vi.fn<() => Promise<void>>(async () => undefined);

function parts(): { -readonly [K in keyof LeaseDeps]: LeaseDeps[K] } {
  const clock = createManualClock();
  return { store: createFakeLeaseStore(clock), clock, newToken: () => TOKEN, releaseFailed: () => undefined };
}

describe('leases', () => {
  test.each(['store', 'clock', 'newToken', 'releaseFailed'] as const)('leases are not built without %s', (part) => {
    const { [part]: _left, ...rest } = parts();
    expect(() => createLeases(rest as LeaseDeps, { ttlMs: TTL_MS })).toThrow(ConfigurationError);
    expect(() => createLeases(rest as LeaseDeps, { ttlMs: TTL_MS })).toThrow(
      new RegExp(`the leases cannot be built without ${part}`),
    );
  });

  test('leases are not built with a store that cannot release', () => {
    const deps = parts();
    const { release: _left, ...store } = deps.store;
    expect(() => createLeases({ ...deps, store: store as LeaseDeps['store'] }, { ttlMs: TTL_MS })).toThrow(
      /^the leases cannot be built without store.release$/,
    );
  });

  test('leases are not built with contradictory settings', () => {
    expect(() => createLeases(parts(), { ttlMs: 1 })).toThrow(ConfigurationError);
  });
});

describe('an acquisition', () => {
  test('a free lease lets the work run, and returns its value after the release', async () => {
    const world = createLeaseWorld();
    const ending = await world.leases.withLease(GAME, world.parent.signal, async (lease) => {
      lease.assertHeld();
      return world.store.holder(GAME);
    });
    expect(ending).toEqual({ status: 'done', value: world.tokens[0] });
    expect(world.store.holder(GAME)).toBeUndefined();
    expect(world.clock.pendingMs()).toEqual([]);
  });

  test('a lease that is held ends busy, and stays with its holder', async () => {
    const world = createLeaseWorld();
    world.store.take(GAME, 'another token', TTL_MS);
    expect(await world.leases.withLease(GAME, world.parent.signal, neverStarted)).toEqual({ status: 'busy' });
    expect(world.store.holder(GAME)).toBe('another token');
    expect(world.store.asked('release')).toBe(0);
    expect(world.clock.pendingMs()).toEqual([]);
    expect(neverStarted).not.toHaveBeenCalled();
  });

  test('every acquisition has its own token', async () => {
    const world = createLeaseWorld();
    for (let n = 0; n < 3; n += 1) await world.leases.withLease(GAME, world.parent.signal, async () => n);
    expect(new Set(world.tokens).size).toBe(3);
  });

  test('a token source that fails makes the operation fail, and the store is not asked', async () => {
    const deps = parts();
    const store = createFakeLeaseStore(deps.clock);
    const broken = new Error('no entropy');
    const newToken = vi.fn<() => string>(() => {
      throw broken;
    });
    const leases = createLeases({ ...deps, store, newToken }, { ttlMs: TTL_MS });
    await expect(leases.withLease(GAME, new AbortController().signal, neverStarted)).rejects.toBe(broken);
    expect(newToken).toHaveBeenCalledTimes(1);
    expect(store.asked('acquire')).toBe(0);
    expect(neverStarted).not.toHaveBeenCalled();
  });

  test.each(['', 'short', 't'.repeat(21)])('the token "%s" is refused', async (token) => {
    const deps = parts();
    const store = createFakeLeaseStore(deps.clock);
    const leases = createLeases({ ...deps, store, newToken: () => token }, { ttlMs: TTL_MS });
    await expect(leases.withLease(GAME, new AbortController().signal, neverStarted)).rejects.toBeInstanceOf(
      WeakTokenError,
    );
    expect(store.asked('acquire')).toBe(0);
    expect(neverStarted).not.toHaveBeenCalled();
  });

  test('a store that is unavailable ends unavailable, with the cause', async () => {
    const world = createLeaseWorld();
    world.store.always('acquire', down);
    const ending = await world.leases.withLease(GAME, world.parent.signal, neverStarted);
    expect(ending).toEqual({ status: 'unavailable', cause: expect.any(UnavailableError) as unknown });
    expect(neverStarted).not.toHaveBeenCalled();
  });

  test('an acquisition whose answer was lost is released, because it may have been carried out', async () => {
    const world = createLeaseWorld();
    world.store.next('acquire', answerLost);
    const ending = await world.leases.withLease(GAME, world.parent.signal, neverStarted);
    expect(ending.status).toBe('unavailable');
    await world.clock.advance(0);
    expect(world.store.holder(GAME)).toBeUndefined();
    expect(world.store.asked('release')).toBe(1);
    expect(neverStarted).not.toHaveBeenCalled();
  });

  test('the caller does not wait for that release, which is tried once and leaves no timer', async () => {
    const world = createLeaseWorld();
    world.store.next('acquire', answerLost);
    world.store.always('release', silent);
    const ending = await world.leases.withLease(GAME, world.parent.signal, neverStarted);
    expect(ending.status).toBe('unavailable');
    await world.clock.advance(60_000);
    expect(world.store.asked('release')).toBe(1);
    expect(world.clock.pendingMs()).toEqual([]);
    expect(neverStarted).not.toHaveBeenCalled();
  });

  test('a store that does not answer ends unavailable at the time limit', async () => {
    const world = createLeaseWorld();
    world.store.next('acquire', silent);
    const ending = world.leases.withLease(GAME, world.parent.signal, neverStarted);
    await world.clock.advance(ANSWER_TIMEOUT_MS - 1);
    expect(world.clock.pendingMs()).toEqual([1]);
    await world.clock.advance(1);
    expect(await ending).toMatchObject({
      status: 'unavailable',
      cause: { name: 'TimeoutError', message: 'the lease store did not answer the acquisition within 2000 ms' },
    });
    expect(neverStarted).not.toHaveBeenCalled();
  });

  test('an acquisition that succeeds after its timeout is released then', async () => {
    const world = createLeaseWorld();
    const gate = later<void>();
    world.store.next('acquire', (carryOut) => gate.promise.then(carryOut));
    const ending = world.leases.withLease(GAME, world.parent.signal, neverStarted);
    await world.clock.advance(ANSWER_TIMEOUT_MS);
    expect((await ending).status).toBe('unavailable');
    expect(world.store.asked('release')).toBe(0);
    gate.resolve();
    await world.clock.advance(0);
    expect(world.store.asked('release')).toBe(1);
    expect(world.store.holder(GAME)).toBeUndefined();
    expect(neverStarted).not.toHaveBeenCalled();
  });

  test('an acquisition that is refused after its timeout needs no release', async () => {
    const world = createLeaseWorld();
    world.store.take(GAME, 'another token', TTL_MS);
    const gate = later<void>();
    world.store.next('acquire', (carryOut) => gate.promise.then(carryOut));
    const ending = world.leases.withLease(GAME, world.parent.signal, neverStarted);
    await world.clock.advance(ANSWER_TIMEOUT_MS);
    await ending;
    gate.resolve();
    await world.clock.advance(0);
    expect(world.store.asked('release')).toBe(0);
    expect(neverStarted).not.toHaveBeenCalled();
  });

  test('a bug in the store is thrown, and is not reported as an outage', async () => {
    const world = createLeaseWorld();
    const bug = new TypeError('relation "game_leases" does not exist');
    world.store.next('acquire', () => Promise.reject(bug));
    await expect(world.leases.withLease(GAME, world.parent.signal, neverStarted)).rejects.toBe(bug);
    await world.clock.advance(0);
    expect(world.clock.pendingMs()).toEqual([]);
    expect(neverStarted).not.toHaveBeenCalled();
  });

  test('a slow answer does not extend the lease', async () => {
    const world = createLeaseWorld();
    const gate = later<void>();
    // The store grants the lease at once; only its answer is slow.
    world.store.next('acquire', (carryOut) => {
      const granted = carryOut();
      return gate.promise.then(() => granted);
    });
    world.store.always('renew', down);
    const started = startWork(world);
    await world.clock.advance(1_500);
    gate.resolve();
    const work = await started;
    await world.clock.advance(TRUST_MS - 1_500 - 1);
    expect(() => work.lease.assertHeld()).not.toThrow();
    await world.clock.advance(1);
    expect(work.lease.signal.aborted).toBe(true);
    work.finish('');
    await work.ending;
  });

  test('an answer that comes after the end of trust ends lost, after the lease was released', async () => {
    const world = createLeaseWorld();
    const gate = later<void>();
    world.store.next('acquire', (carryOut) => {
      const granted = carryOut();
      return gate.promise.then(() => granted);
    });
    const ending = world.leases.withLease(GAME, world.parent.signal, neverStarted);
    await world.clock.advance(0);
    world.freeze(TRUST_MS);
    gate.resolve();
    expect(await ending).toEqual({
      status: 'lost',
      reason: expect.stringContaining('not confirmed in time') as string,
    });
    expect(world.store.asked('release')).toBe(1);
    expect(world.store.holder(GAME)).toBeUndefined();
    expect(world.clock.pendingMs()).toEqual([]);
    expect(neverStarted).not.toHaveBeenCalled();
  });

  test('a caller that has already aborted acquires no lease', async () => {
    const world = createLeaseWorld();
    const reason = new Error('shutdown');
    world.parent.abort(reason);
    await expect(world.leases.withLease(GAME, world.parent.signal, neverStarted)).rejects.toBe(reason);
    expect(world.store.asked('acquire')).toBe(0);
    expect(neverStarted).not.toHaveBeenCalled();
  });

  test('a caller that aborts during the acquisition gets its reason, and the lease is released', async () => {
    const world = createLeaseWorld();
    const gate = later<void>();
    const reason = new Error('shutdown');
    world.store.next('acquire', (carryOut) => gate.promise.then(carryOut));
    const ending = world.leases.withLease(GAME, world.parent.signal, neverStarted);
    await world.clock.advance(100);
    world.parent.abort(reason);
    gate.resolve();
    await expect(ending).rejects.toBe(reason);
    expect(world.store.holder(GAME)).toBeUndefined();
    expect(world.clock.pendingMs()).toEqual([]);
    expect(getEventListeners(world.parent.signal, 'abort')).toEqual([]);
    expect(neverStarted).not.toHaveBeenCalled();
  });

  test.each([
    ['is down', down],
    ['says that the lease is held', async () => false],
  ])('a caller that aborts while the store %s gets its reason', async (_what, behaviour) => {
    const world = createLeaseWorld();
    const gate = later<void>();
    const reason = new Error('shutdown');
    world.store.next('acquire', (carryOut) => gate.promise.then(() => behaviour(carryOut)));
    const ending = world.leases.withLease(GAME, world.parent.signal, neverStarted);
    world.parent.abort(reason);
    gate.resolve();
    await expect(ending).rejects.toBe(reason);
    expect(neverStarted).not.toHaveBeenCalled();
  });
});
