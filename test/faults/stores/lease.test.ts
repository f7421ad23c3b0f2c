import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/async/clock.js';
import type { LeaseStore } from '../../../src/lease/lease-store.js';
import type { LeaseSettings } from '../../../src/lease/timing.js';
import { createLeases, type Lease, type LeaseEnding } from '../../../src/lease/with-lease.js';
import { newLeaseToken } from '../../../src/app/random.js';
import { type ConnectedStore, LEASE_BACKENDS, type LeaseBackend } from '../../support/lease-backends.js';
import { createChanges } from '../../support/changes.js';
import { eventually } from '../../support/eventually.js';
import { startTcpFaultProxy, type TcpFaultProxy } from '../../support/network/tcp-fault-proxy.js';
import { LeaseLostError } from '../../../src/domain/errors.js';

const SHORT: LeaseSettings = { ttlMs: 2_000, releaseTimeoutMs: 300 };
const LONG: LeaseSettings = { ttlMs: 60_000, releaseTimeoutMs: 300 };

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

const elapsedMs = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
};

describe.each(LEASE_BACKENDS)('a lease on %s', (_name, startBackend) => {
  let backend: LeaseBackend;
  let proxy: TcpFaultProxy;
  /** Its connection can be made faulty. */
  let holder: ConnectedStore;
  /** Its connection has no faults. */
  let contender: ConnectedStore;
  let releaseFailures: unknown[];
  const game = 'game-1';

  beforeAll(async () => {
    backend = await startBackend();
    contender = await backend.connect();
  });
  afterAll(async () => {
    await contender.close();
    await backend.stop();
  });
  beforeEach(async () => {
    releaseFailures = [];
    proxy = await startTcpFaultProxy({ port: backend.port });
    holder = await backend.connect(proxy.urlFor(backend.url));
  });
  afterEach(async () => {
    await proxy.use('pass');
    await holder.close();
    await proxy.close();
  });

  const withLease = <T>(
    settings: LeaseSettings,
    store: LeaseStore,
    work: (lease: Lease) => Promise<T>,
  ): Promise<LeaseEnding<T>> =>
    createLeases(
      {
        store,
        clock: systemClock,
        newToken: newLeaseToken,
        releaseFailed: (_gameId, cause) => releaseFailures.push(cause),
      },
      settings,
    ).withLease(game, new AbortController().signal, work);

  /** Repeats the request until the contender has the lease, and releases it. A lease store announces no expiry. */
  const untilContenderGetsIt = (withinMs: number): Promise<void> =>
    eventually(
      async () => {
        const token = newLeaseToken();
        expect(await contender.store.acquire(game, token, 5_000)).toBe(true);
        await contender.store.release(game, token);
      },
      { withinMs },
    );

  test.each(['refuse', 'reset'] as const)(
    'a lease is unavailable within two seconds when connections meet the fault: %s',
    async (mode) => {
      await proxy.use(mode);
      let ending: LeaseEnding<void> | undefined;
      const tookMs = await elapsedMs(async () => {
        ending = await withLease(LONG, holder.store, async () => expect.unreachable());
      });
      expect(ending).toMatchObject({ status: 'unavailable', cause: expect.any(Error) as unknown });
      expect(tookMs).toBeLessThan(2_500);
    },
  );

  test('a lease is unavailable within about two seconds when the server is silent, and is free again once the server answers', async () => {
    await proxy.use('blackhole');
    let ending: LeaseEnding<void> | undefined;
    const tookMs = await elapsedMs(async () => {
      ending = await withLease(LONG, holder.store, async () => expect.unreachable());
    });
    expect(ending?.status).toBe('unavailable');
    expect(tookMs).toBeLessThan(3_500);
    // What was sent into the black hole arrives now, the acquisition as well as its release.
    await proxy.use('pass');
    await eventually(async () => {
      const ending = await withLease(SHORT, holder.store, async () => 'well');
      expect(ending).toEqual({ status: 'done', value: 'well' });
    });
    await untilContenderGetsIt(10_000);
  });

  test('a lease is lost before another holder can get it when the connection breaks during the work', async () => {
    const order: string[] = [];
    let contending: Promise<void> | undefined;
    const ending = await withLease(SHORT, holder.store, async (lease) => {
      await proxy.use('blackhole');
      contending = untilContenderGetsIt(10_000).then(() => void order.push('contender has it'));
      await aborted(lease.signal);
      order.push('holder has lost it');
      expect(lease.signal.reason).toBeInstanceOf(LeaseLostError);
      lease.assertHeld();
    });
    expect(ending).toEqual({ status: 'lost', reason: expect.stringContaining('not confirmed in time') as string });
    await contending;
    expect(order).toEqual(['holder has lost it', 'contender has it']);
    expect(releaseFailures).toHaveLength(1);
  });

  test('a lease survives outages that are shorter than its trust, and is renewed when they are over', async () => {
    const renewals = { asked: 0, done: 0 };
    const changes = createChanges();
    const counted: LeaseStore = {
      ...holder.store,
      renew: async (...question) => {
        renewals.asked += 1;
        changes.notify();
        const renewed = await holder.store.renew(...question);
        renewals.done += 1;
        changes.notify();
        return renewed;
      },
    };
    // Too long to expire here: the contender gets it because it was released.
    const settings: LeaseSettings = { ttlMs: 60_000, renewEveryMs: 300, answerTimeoutMs: 1_000, retryEveryMs: 100 };
    const ending = await withLease(settings, counted, async (lease) => {
      for (const mode of ['reset', 'blackhole'] as const) {
        await proxy.use(mode);
        // A second question after the line went bad means that the first had failed.
        const { asked } = renewals;
        await changes.until(() => expect(renewals.asked).toBeGreaterThan(asked + 1));
        expect(await contender.store.acquire(game, newLeaseToken(), 60_000)).toBe(false);
        await proxy.use('pass');
        const { done } = renewals;
        await changes.until(() => expect(renewals.done).toBeGreaterThan(done));
        lease.assertHeld();
      }
      return 'well';
    });
    expect(ending).toEqual({ status: 'done', value: 'well' });
    expect(releaseFailures).toEqual([]);
    await untilContenderGetsIt(10_000);
  });
});
