/** The reports about a lease store that fails: which callback gets them, how often, and their text. */
import { describe, expect, test, vi } from 'vitest';
import { startRenewals } from '../../../src/lease/renewals.js';
import { leaseTiming } from '../../../src/lease/timing.js';
import { createManualClock } from '../../support/manual-clock.js';
import { down, silent } from './fake-lease-store.js';
import {
  ANSWER_TIMEOUT_MS,
  createLeaseWorld,
  GAME,
  later,
  RENEW_AT_MS,
  startWork,
  TRUST_MS,
  TTL_MS,
} from './lease-world.js';
import { LeaseLostError, TimeoutError } from '../../../src/domain/errors.js';

const NOT_CONFIRMED = 'it was not confirmed in time to be trusted any longer';
const noAnswer = (question: string, timeoutMs: number): object => ({
  name: 'TimeoutError',
  message: `the lease store did not answer the ${question} within ${timeoutMs} ms`,
});

/** Renewals whose requests the test answers, and the reported failures. */
function setUp() {
  const clock = createManualClock();
  const question = later<boolean>();
  const reported: unknown[] = [];
  const otherCallbacks = vi.fn<() => void>();
  const stop = startRenewals({
    clock,
    timing: leaseTiming({ ttlMs: TTL_MS }),
    askedAtMs: clock.monotonicMs(),
    renew: () => question.promise,
    onRenewed: otherCallbacks,
    onRefused: otherCallbacks,
    onFailed: (cause) => reported.push(cause),
  });
  return { clock, question, reported, otherCallbacks, stop };
}

describe('a renewal that fails', () => {
  test('a renewal that fails is reported once, even if the store answers after its deadline', async () => {
    const { clock, question, reported, stop } = setUp();
    await clock.advance(RENEW_AT_MS + ANSWER_TIMEOUT_MS);
    expect(reported).toEqual([expect.any(TimeoutError)]);
    question.reject(new Error('connection reset'));
    await clock.advance(0);
    expect(reported).toHaveLength(1);
    stop();
  });

  test('a renewal that fails after the renewals were stopped is not reported', async () => {
    const { clock, question, reported, otherCallbacks, stop } = setUp();
    await clock.advance(RENEW_AT_MS);
    stop();
    question.reject(new Error('connection reset'));
    await clock.advance(TTL_MS);
    expect(reported).toEqual([]);
    expect(otherCallbacks).not.toHaveBeenCalled();
    expect(clock.pendingMs()).toEqual([]);
  });
});

describe('a store that does not answer', () => {
  test('renewals without an answer are named in the reason of the loss', async () => {
    const world = createLeaseWorld();
    world.store.always('renew', silent);
    const work = await startWork(world);
    await world.clock.advance(TRUST_MS);
    expect(work.lease.signal.reason).toMatchObject({
      name: 'LeaseLostError',
      reason: `${NOT_CONFIRMED}; the last renewal failed: the lease store did not answer the renewal within 2000 ms`,
    });
    work.finish('');
    await work.ending;
  });

  test('the error of a missing answer shows whole milliseconds for every TTL', async () => {
    const world = createLeaseWorld({ ttlMs: 2_001 });
    world.store.next('acquire', silent);
    const ending = world.leases.withLease(GAME, world.parent.signal, async () => undefined);
    await world.clock.advance(501);
    expect(await ending).toMatchObject({ cause: noAnswer('acquisition', 500) });
  });
});

describe('the reason of a loss', () => {
  test('the reason of a loss names no failure when no renewal failed', async () => {
    const world = createLeaseWorld();
    const work = await startWork(world);
    world.freeze(TRUST_MS);
    work.fail(new LeaseLostError(GAME, 'as the work saw it'));
    expect(await work.ending).toEqual({ status: 'lost', reason: NOT_CONFIRMED });
  });

  test('the reason of a loss stays the first one when trust ends later', async () => {
    const world = createLeaseWorld();
    world.store.next('renew', async () => false);
    const work = await startWork(world);
    await world.clock.advance(RENEW_AT_MS);
    const loss: unknown = work.lease.signal.reason;
    world.freeze(TTL_MS);
    expect(() => work.lease.assertHeld()).toThrow(expect.objectContaining({ reason: expect.stringMatching(/says/) }));
    expect(work.lease.signal.reason).toBe(loss);
    work.finish('');
    await work.ending;
  });

  test('the reason is the release when work asserts the lease long after its end', async () => {
    const world = createLeaseWorld();
    world.store.always('renew', down);
    const work = await startWork(world);
    work.finish('');
    await work.ending;
    world.freeze(10 * TTL_MS);
    expect(() => work.lease.assertHeld()).toThrow(/it was released/);
    expect(work.lease.signal.aborted).toBe(false);
  });
});
