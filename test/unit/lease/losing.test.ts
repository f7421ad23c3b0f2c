import { describe, expect, test } from 'vitest';
import { down } from './fake-lease-store.js';
import { createLeaseWorld, GAME, later, RENEW_AT_MS, RETRY_MS, startWork, TRUST_MS, TTL_MS } from './lease-world.js';
import { LeaseLostError } from '../../../src/domain/errors.js';

const NOT_OURS = 'the store says that it ran out or that another token holds it';

describe('a lost lease', () => {
  test("a lost lease aborts the work's signal, with the loss as its reason", async () => {
    const world = createLeaseWorld();
    const work = await startWork(world);
    world.store.take(GAME, 'another token', TTL_MS);
    await world.clock.advance(RENEW_AT_MS);
    expect(work.lease.signal.reason).toBeInstanceOf(LeaseLostError);
    expect(work.lease.signal.reason).toMatchObject({ code: 'lease_lost', gameId: GAME, reason: NOT_OURS });
    work.fail(new Error('aborted'));
    expect(await work.ending).toEqual({ status: 'lost', reason: `${NOT_OURS} (the work ended with: aborted)` });
  });

  test('the lease is lost at once when the store refuses a renewal, and the store is not asked again', async () => {
    const world = createLeaseWorld();
    world.store.next('renew', async () => false);
    const work = await startWork(world);
    await world.clock.advance(RENEW_AT_MS);
    expect(() => work.lease.assertHeld()).toThrow(LeaseLostError);
    expect(world.clock.pendingMs()).toEqual([]);
    await world.clock.advance(TTL_MS);
    expect(world.store.asked('renew')).toBe(1);
    work.finish('');
    await work.ending;
  });

  test('the lease is lost at once on a late refusal of a renewal that timed out', async () => {
    const world = createLeaseWorld();
    const answer = later<boolean>();
    world.store.next('renew', () => answer.promise);
    world.store.always('renew', down);
    const work = await startWork(world);
    await world.clock.advance(RENEW_AT_MS + 10_000);
    expect(work.lease.signal.aborted).toBe(false);
    answer.resolve(false);
    await world.clock.advance(0);
    expect(work.lease.signal.aborted).toBe(true);
    work.finish('');
    await work.ending;
  });

  test('the lease is lost when no renewal succeeds until trust ends, and the reason names the last failure', async () => {
    const world = createLeaseWorld();
    world.store.always('renew', down);
    const work = await startWork(world);
    await world.clock.advance(TRUST_MS - 1);
    expect(work.lease.signal.aborted).toBe(false);
    expect(world.store.asked('renew')).toBe((TRUST_MS - RENEW_AT_MS) / RETRY_MS);
    await world.clock.advance(1);
    expect(work.lease.signal.aborted).toBe(true);
    work.fail(new LeaseLostError(GAME, 'as the work saw it'));
    expect(await work.ending).toEqual({
      status: 'lost',
      reason: 'it was not confirmed in time to be trusted any longer; the last renewal failed: connection refused',
    });
  });

  test('the reason of a loss does not name a failure that was followed by a success', async () => {
    const world = createLeaseWorld();
    world.store.next('renew', down);
    const work = await startWork(world);
    await world.clock.advance(RENEW_AT_MS + RETRY_MS);
    world.freeze(TRUST_MS);
    work.fail(new LeaseLostError(GAME, 'as the work saw it'));
    expect(await work.ending).toEqual({
      status: 'lost',
      reason: 'it was not confirmed in time to be trusted any longer',
    });
  });

  test('the lease is lost in the process before it expires in the store', async () => {
    const world = createLeaseWorld();
    world.store.always('renew', down);
    const work = await startWork(world);
    await world.clock.advance(TRUST_MS);
    expect(work.lease.signal.aborted).toBe(true);
    expect(world.store.remainingMs(GAME)).toBe(TTL_MS - TRUST_MS);
    work.finish('');
    await work.ending;
  });

  test('a loss is final, even when the store answers again', async () => {
    const world = createLeaseWorld();
    const answer = later<boolean>();
    world.store.always('renew', () => answer.promise);
    const work = await startWork(world);
    await world.clock.advance(TRUST_MS);
    answer.resolve(true);
    await world.clock.advance(TTL_MS);
    expect(() => work.lease.assertHeld()).toThrow(LeaseLostError);
    work.finish('');
    await work.ending;
  });

  test('every assertion after a loss throws the same loss', async () => {
    const world = createLeaseWorld();
    world.store.next('renew', async () => false);
    const work = await startWork(world);
    work.lease.assertHeld();
    await world.clock.advance(RENEW_AT_MS);
    for (let n = 0; n < 3; n += 1) expect(() => work.lease.assertHeld()).toThrow(NOT_OURS);
    work.finish('');
    await work.ending;
  });

  test('a loss does not end the wait for the work, so two works of one game never overlap in this process', async () => {
    const world = createLeaseWorld();
    world.store.next('renew', async () => false);
    const work = await startWork(world);
    await world.clock.advance(10 * TTL_MS);
    expect(work.lease.signal.aborted).toBe(true);
    expect(work.endedWith()).toBeUndefined();
    expect(world.store.asked('release')).toBe(0);
    work.fail(new Error('stopped'));
    expect((await work.ending).status).toBe('lost');
    expect(world.store.asked('release')).toBe(1);
  });

  test('a loss does not discard the value of finished work', async () => {
    const world = createLeaseWorld();
    world.store.next('renew', async () => false);
    const work = await startWork(world);
    await world.clock.advance(RENEW_AT_MS);
    work.finish('written before the loss');
    expect(await work.ending).toEqual({ status: 'done', value: 'written before the loss' });
  });

  test('a loss leaves the lease of its new holder unchanged', async () => {
    const world = createLeaseWorld();
    const work = await startWork(world);
    world.store.take(GAME, 'another token', TTL_MS);
    work.finish('');
    await work.ending;
    expect(world.store.asked('release')).toBe(1);
    expect(world.store.holder(GAME)).toBe('another token');
    expect(world.releaseFailures).toEqual([]);
  });
});

describe('a frozen process', () => {
  test('a process that resumes after the end of trust cannot assert the lease, even before a timer fires', async () => {
    const world = createLeaseWorld();
    const work = await startWork(world);
    world.freeze(TRUST_MS);
    expect(work.lease.signal.aborted).toBe(false);
    expect(() => work.lease.assertHeld()).toThrow(LeaseLostError);
    expect(work.lease.signal.aborted).toBe(true);
    expect(world.clock.pendingMs()).toEqual([]);
    work.fail(new Error('stopped'));
    expect((await work.ending).status).toBe('lost');
  });

  test('a process that resumes just before the end of trust may continue', async () => {
    const world = createLeaseWorld();
    const work = await startWork(world);
    world.freeze(TRUST_MS - 1);
    expect(() => work.lease.assertHeld()).not.toThrow();
    work.finish('');
    expect((await work.ending).status).toBe('done');
  });

  test('a process that resumes finds the loss by its first timer when the work does not assert', async () => {
    const world = createLeaseWorld();
    const work = await startWork(world);
    world.freeze(TTL_MS);
    await world.clock.advance(RENEW_AT_MS);
    expect(work.lease.signal.aborted).toBe(true);
    work.finish('');
    await work.ending;
  });

  test('a process that resumes does not trust a confirmation that arrives after the end of trust', async () => {
    const world = createLeaseWorld();
    const answer = later<boolean>();
    world.store.next('renew', () => answer.promise);
    const work = await startWork(world);
    await world.clock.advance(RENEW_AT_MS);
    world.freeze(TRUST_MS - RENEW_AT_MS);
    answer.resolve(true);
    await world.clock.advance(0);
    expect(work.lease.signal.reason).toBeInstanceOf(LeaseLostError);
    work.finish('');
    await work.ending;
  });

  test('an error of the work counts as the loss when trust has ended', async () => {
    const world = createLeaseWorld();
    const work = await startWork(world);
    world.freeze(TRUST_MS);
    work.fail(new Error('socket closed'));
    expect(await work.ending).toEqual({
      status: 'lost',
      reason: expect.stringContaining('(the work ended with: socket closed)') as string,
    });
  });

  test('a wall clock that was set back does not extend trust', async () => {
    const world = createLeaseWorld();
    world.store.always('renew', down);
    const work = await startWork(world);
    world.clock.shiftWall(-TTL_MS);
    await world.clock.advance(TRUST_MS);
    expect(() => work.lease.assertHeld()).toThrow(LeaseLostError);
    work.finish('');
    await work.ending;
  });
});
