import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { UnavailableError, LeaseLostError } from '../../../src/domain/errors.js';
import { newLeaseToken } from '../../../src/app/random.js';
import { down, silent } from './fake-lease-store.js';
import { createLeaseWorld, GAME, RENEW_AT_MS, startWork, TTL_MS } from './lease-world.js';

describe('the work', () => {
  test('work that fails while the lease is held rejects with its error, and the lease is released', async () => {
    const world = createLeaseWorld();
    const work = await startWork(world);
    const error = new Error('a bug');
    work.fail(error);
    await expect(work.ending).rejects.toBe(error);
    expect(world.store.holder(GAME)).toBeUndefined();
    expect(world.clock.pendingMs()).toEqual([]);
  });

  test('work that throws before it returns a promise rejects with its error, and the lease is released', async () => {
    const world = createLeaseWorld();
    const error = new Error('a bug');
    const ending = world.leases.withLease(GAME, world.parent.signal, () => {
      throw error;
    });
    await expect(ending).rejects.toBe(error);
    expect(world.store.holder(GAME)).toBeUndefined();
  });

  test('work that keeps its lease after the end cannot assert it', async () => {
    const world = createLeaseWorld();
    const work = await startWork(world);
    work.finish('');
    await work.ending;
    expect(() => work.lease.assertHeld()).toThrow(/it was released/);
  });

  test('work on one game does not disturb work on another', async () => {
    const world = createLeaseWorld();
    const [one, other] = [await startWork(world, 'one'), await startWork(world, 'other')];
    world.store.take('one', 'another token', TTL_MS);
    await world.clock.advance(RENEW_AT_MS);
    expect(one.lease.signal.aborted).toBe(true);
    expect(other.lease.signal.aborted).toBe(false);
    one.finish('');
    other.finish('well');
    expect(await other.ending).toEqual({ status: 'done', value: 'well' });
    await one.ending;
  });
});

describe("the caller's abort", () => {
  test("the caller's abort reaches the lease's signal, and the lease stays held while the work ends", async () => {
    const world = createLeaseWorld();
    const work = await startWork(world);
    const reason = new Error('shutdown');
    world.parent.abort(reason);
    expect(work.lease.signal.reason).toBe(reason);
    expect(() => work.lease.assertHeld()).not.toThrow();
    await world.clock.advance(10 * TTL_MS);
    expect(work.endedWith()).toBeUndefined();
    expect(world.store.holder(GAME)).toBe(world.tokens[0]);
    work.fail(new Error('the request was aborted'));
    await expect(work.ending).rejects.toBe(reason);
    expect(world.store.holder(GAME)).toBeUndefined();
  });

  test("the caller's abort is reported instead of an earlier loss", async () => {
    const world = createLeaseWorld();
    const work = await startWork(world);
    world.store.take(GAME, 'another token', TTL_MS);
    await world.clock.advance(RENEW_AT_MS);
    const reason = new Error('shutdown');
    world.parent.abort(reason);
    expect(work.lease.signal.reason).toBeInstanceOf(LeaseLostError);
    work.fail(new LeaseLostError(GAME, 'taken'));
    await expect(work.ending).rejects.toBe(reason);
  });

  test("the caller's abort does not discard the value of finished work", async () => {
    const world = createLeaseWorld();
    const work = await startWork(world);
    world.parent.abort(new Error('shutdown'));
    work.finish('finished all the same');
    expect(await work.ending).toEqual({ status: 'done', value: 'finished all the same' });
  });

  test("the caller's abort after the end has no effect, and no listener is left on the signal", async () => {
    const world = createLeaseWorld();
    for (let n = 0; n < 30; n += 1) await world.leases.withLease(GAME, world.parent.signal, async () => n);
    const work = await startWork(world);
    expect(getEventListeners(world.parent.signal, 'abort')).toHaveLength(1);
    work.finish('');
    await work.ending;
    expect(getEventListeners(world.parent.signal, 'abort')).toEqual([]);
    world.parent.abort(new Error('shutdown'));
    expect(work.lease.signal.aborted).toBe(false);
  });
});

describe('the release', () => {
  test('a release that fails is reported and has no other effect', async () => {
    const world = createLeaseWorld();
    world.store.always('release', down);
    const work = await startWork(world);
    work.finish('well');
    expect(await work.ending).toEqual({ status: 'done', value: 'well' });
    expect(world.releaseFailures).toEqual([expect.any(UnavailableError)]);
  });

  test('a release without an answer is abandoned after five seconds and reported', async () => {
    const world = createLeaseWorld();
    world.store.always('release', silent);
    const work = await startWork(world);
    work.finish('well');
    await world.clock.advance(4_999);
    expect(work.endedWith()).toBeUndefined();
    await world.clock.advance(1);
    expect(await work.ending).toEqual({ status: 'done', value: 'well' });
    expect(world.releaseFailures).toMatchObject([
      { name: 'TimeoutError', message: 'the lease store did not answer the release within 5000 ms' },
    ]);
    expect(world.clock.pendingMs()).toEqual([]);
  });

  test('a release can have a shorter time limit', async () => {
    const world = createLeaseWorld({ ttlMs: TTL_MS, releaseTimeoutMs: 200 });
    world.store.always('release', silent);
    const work = await startWork(world);
    work.finish('well');
    await world.clock.advance(200);
    expect((await work.ending).status).toBe('done');
  });

  test("a release that fails does not hide the work's error", async () => {
    const world = createLeaseWorld();
    world.store.always('release', down);
    const work = await startWork(world);
    const error = new Error('a bug');
    work.fail(error);
    await expect(work.ending).rejects.toBe(error);
    expect(world.releaseFailures).toHaveLength(1);
  });
});

test('a lease token is 32 random bytes as base64url, and is new each time', () => {
  const tokens = Array.from({ length: 100 }, newLeaseToken);
  for (const token of tokens) expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(new Set(tokens).size).toBe(100);
});
