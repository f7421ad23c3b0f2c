import { describe, expect, test, vi } from 'vitest';
import { startRenewals } from '../../../src/lease/renewals.js';
import { leaseTiming } from '../../../src/lease/timing.js';
import { createManualClock } from '../../support/manual-clock.js';
import { answerLost, down, silent } from './fake-lease-store.js';
import {
  ANSWER_TIMEOUT_MS,
  createLeaseWorld,
  GAME,
  later,
  type LeaseWorld,
  RENEW_AT_MS,
  type RunningWork,
  RETRY_MS,
  startWork,
  TRUST_MS,
  TTL_MS,
} from './lease-world.js';

async function endWell(world: LeaseWorld, work: RunningWork): Promise<void> {
  work.finish('well');
  expect(await work.ending).toEqual({ status: 'done', value: 'well' });
  expect(world.clock.pendingMs()).toEqual([]);
}

describe('the renewals', () => {
  test('a lease is renewed at each third of its TTL while the work runs', async () => {
    const world = createLeaseWorld();
    const work = await startWork(world);
    await world.clock.advance(RENEW_AT_MS - 1);
    expect(world.store.asked('renew')).toBe(0);
    await world.clock.advance(1);
    expect(world.store.asked('renew')).toBe(1);
    await world.clock.advance(100 * RENEW_AT_MS);
    expect(world.store.asked('renew')).toBe(101);
    expect(() => work.lease.assertHeld()).not.toThrow();
    expect(world.store.holder(GAME)).toBe(world.tokens[0]);
    await endWell(world, work);
  });

  test('a renewal extends trust, counted from when it was requested', async () => {
    const world = createLeaseWorld();
    const answer = later<boolean>();
    world.store.next('renew', (carryOut) => {
      carryOut();
      return answer.promise;
    });
    world.store.always('renew', down);
    const work = await startWork(world);
    await world.clock.advance(RENEW_AT_MS + 1_500);
    answer.resolve(true);
    await world.clock.advance(TRUST_MS - 1_500 - 1);
    expect(() => work.lease.assertHeld()).not.toThrow();
    await world.clock.advance(1);
    expect(work.lease.signal.aborted).toBe(true);
    work.finish('');
    await work.ending;
  });

  test('a renewal that fails is retried soon, and one success restores full trust', async () => {
    const world = createLeaseWorld();
    world.store.next('renew', down);
    world.store.next('renew', down);
    const work = await startWork(world);
    await world.clock.advance(RENEW_AT_MS + RETRY_MS - 1);
    expect(world.store.asked('renew')).toBe(1);
    await world.clock.advance(1);
    expect(world.store.asked('renew')).toBe(2);
    await world.clock.advance(RETRY_MS);
    expect(world.store.asked('renew')).toBe(3);
    // The usual interval applies again, from the request that succeeded.
    await world.clock.advance(RENEW_AT_MS - 1);
    expect(world.store.asked('renew')).toBe(3);
    await world.clock.advance(TRUST_MS);
    expect(() => work.lease.assertHeld()).not.toThrow();
    await endWell(world, work);
  });

  test('a renewal whose answer was lost is retried like any other failure', async () => {
    const world = createLeaseWorld();
    world.store.next('renew', answerLost);
    const work = await startWork(world);
    await world.clock.advance(RENEW_AT_MS + RETRY_MS);
    expect(world.store.asked('renew')).toBe(2);
    await endWell(world, work);
  });

  test('a renewal without an answer is abandoned at its deadline and retried', async () => {
    const world = createLeaseWorld();
    world.store.next('renew', silent);
    const work = await startWork(world);
    await world.clock.advance(RENEW_AT_MS + ANSWER_TIMEOUT_MS + RETRY_MS - 1);
    expect(world.store.asked('renew')).toBe(1);
    await world.clock.advance(1);
    expect(world.store.asked('renew')).toBe(2);
    await world.clock.advance(TRUST_MS);
    expect(() => work.lease.assertHeld()).not.toThrow();
    await endWell(world, work);
  });

  test('renewals never overlap, even when the store is slow or fails', async () => {
    const world = createLeaseWorld();
    const behaviours = [ANSWER_TIMEOUT_MS - 1, 0, 700, 1_999];
    for (const slowMs of [...behaviours, ...behaviours]) {
      world.store.next('renew', async (carryOut) => {
        const answered = later<void>();
        world.clock.after(slowMs, answered.resolve);
        await answered.promise;
        return carryOut();
      });
      world.store.next('renew', down);
    }
    const work = await startWork(world);
    await world.clock.advance(10 * RENEW_AT_MS);
    expect(world.store.asked('renew')).toBeGreaterThan(10);
    expect(world.store.mostAtOnce('renew')).toBe(1);
    await endWell(world, work);
  });

  test('a late confirmation of a renewal that timed out still extends trust', async () => {
    const world = createLeaseWorld();
    const answer = later<boolean>();
    world.store.next('renew', (carryOut) => {
      carryOut();
      return answer.promise;
    });
    world.store.always('renew', down);
    const work = await startWork(world);
    await world.clock.advance(TRUST_MS - 1);
    answer.resolve(true);
    await world.clock.advance(RENEW_AT_MS);
    expect(() => work.lease.assertHeld()).not.toThrow();
    await world.clock.advance(1);
    expect(work.lease.signal.aborted).toBe(true);
    work.finish('');
    await work.ending;
  });

  test('a late confirmation of an old renewal does not shorten the trust of a newer one', async () => {
    const world = createLeaseWorld();
    const answer = later<boolean>();
    world.store.next('renew', () => answer.promise);
    const work = await startWork(world);
    const secondAskedAtMs = RENEW_AT_MS + ANSWER_TIMEOUT_MS + RETRY_MS;
    await world.clock.advance(secondAskedAtMs);
    world.store.always('renew', down);
    answer.resolve(true);
    await world.clock.advance(TRUST_MS - 1);
    expect(() => work.lease.assertHeld()).not.toThrow();
    await world.clock.advance(1);
    expect(work.lease.signal.aborted).toBe(true);
    work.finish('');
    await work.ending;
  });

  test('a late confirmation does not change the renewal in progress', async () => {
    const world = createLeaseWorld();
    const answer = later<boolean>();
    world.store.next('renew', () => answer.promise);
    world.store.next('renew', silent);
    const work = await startWork(world);
    const secondAskedAtMs = RENEW_AT_MS + ANSWER_TIMEOUT_MS + RETRY_MS;
    await world.clock.advance(secondAskedAtMs + 1);
    answer.resolve(true);
    await world.clock.advance(ANSWER_TIMEOUT_MS + RETRY_MS - 2);
    expect(world.store.asked('renew')).toBe(2);
    await world.clock.advance(1);
    expect(world.store.asked('renew')).toBe(3);
    await endWell(world, work);
  });

  test.each([true, false])('an answer (%s) after the renewals were stopped calls no callback', async (held) => {
    const clock = createManualClock();
    const answer = later<boolean>();
    const callback = vi.fn<() => void>();
    const stop = startRenewals({
      clock,
      timing: leaseTiming({ ttlMs: TTL_MS }),
      askedAtMs: clock.monotonicMs(),
      renew: () => answer.promise,
      onRenewed: callback,
      onRefused: callback,
      onFailed: callback,
    });
    await clock.advance(RENEW_AT_MS);
    stop();
    answer.resolve(held);
    await clock.advance(TTL_MS);
    expect(callback).not.toHaveBeenCalled();
    expect(clock.pendingMs()).toEqual([]);
  });

  test('no lease is renewed after the work has ended', async () => {
    const world = createLeaseWorld();
    const work = await startWork(world);
    await endWell(world, work);
    await world.clock.advance(10 * TRUST_MS);
    expect(world.store.asked('renew')).toBe(0);
  });

  test('a renewal in progress at the end of the work has no effect', async () => {
    const world = createLeaseWorld();
    const answer = later<boolean>();
    world.store.next('renew', () => answer.promise);
    const work = await startWork(world);
    await world.clock.advance(RENEW_AT_MS);
    await endWell(world, work);
    answer.resolve(false);
    await world.clock.advance(10 * TRUST_MS);
    expect(world.store.asked('renew')).toBe(1);
    expect(work.lease.signal.aborted).toBe(false);
    expect(world.clock.pendingMs()).toEqual([]);
  });
});
