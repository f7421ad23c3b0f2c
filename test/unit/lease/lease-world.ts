import type { Clock } from '../../../src/async/clock.js';
import type { LeaseSettings } from '../../../src/lease/timing.js';
import { createLeases, type Lease, type LeaseEnding, type Leases } from '../../../src/lease/with-lease.js';
import { createManualClock, type ManualClock } from '../../support/manual-clock.js';
import { createFakeLeaseStore, type FakeLeaseStore } from './fake-lease-store.js';

export const GAME = 'game-1';
/** The timing of a TTL of 60 s: renewed at 20 s, answers awaited for 2 s, retried after 1 s, trusted for 55 s. */
export const TTL_MS = 60_000;
export const RENEW_AT_MS = 20_000;
export const ANSWER_TIMEOUT_MS = 2_000;
export const RETRY_MS = 1_000;
export const TRUST_MS = 55_000;

export interface LeaseWorld {
  readonly clock: ManualClock;
  readonly store: FakeLeaseStore;
  readonly leases: Leases;
  readonly parent: AbortController;
  /** The tokens drawn so far, in order. */
  readonly tokens: readonly string[];
  readonly releaseFailures: readonly unknown[];
  /** Time passes while the process is frozen: no timer fires until the clock is next advanced. */
  readonly freeze: (ms: number) => void;
}

export function createLeaseWorld(settings: LeaseSettings = { ttlMs: TTL_MS }): LeaseWorld {
  const clock = createManualClock();
  let frozenMs = 0;
  const processClock: Clock = { ...clock, monotonicMs: () => clock.monotonicMs() + frozenMs };
  // The store's clock does not stop for a frozen process.
  const store = createFakeLeaseStore(processClock);
  const tokens: string[] = [];
  const releaseFailures: unknown[] = [];
  const leases = createLeases(
    {
      store,
      clock: processClock,
      newToken: () => {
        tokens.push(`token-${tokens.length}-`.padEnd(43, 'x'));
        return tokens.at(-1) ?? '';
      },
      releaseFailed: (_gameId, cause) => releaseFailures.push(cause),
    },
    settings,
  );
  return {
    clock,
    store,
    leases,
    parent: new AbortController(),
    tokens,
    releaseFailures,
    freeze: (ms) => {
      frozenMs += ms;
    },
  };
}

export interface Later<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/** A promise that the test settles. */
export function later<T>(): Later<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

export interface RunningWork {
  readonly lease: Lease;
  /** Ends the work with a value. */
  readonly finish: (value: string) => void;
  /** Ends the work with an error. */
  readonly fail: (error: Error) => void;
  /** The result of `withLease`. */
  readonly ending: Promise<LeaseEnding<string>>;
  /** The same, or undefined until then. */
  readonly endedWith: () => LeaseEnding<string> | undefined;
}

/** Starts work that runs until the test ends it, also after its signal is aborted. */
export async function startWork(world: LeaseWorld, gameId = GAME): Promise<RunningWork> {
  const started = later<Lease>();
  const { promise: working, resolve: finish, reject: fail } = later<string>();
  let ended: LeaseEnding<string> | undefined;
  const ending = world.leases.withLease(gameId, world.parent.signal, (lease) => {
    started.resolve(lease);
    return working;
  });
  void ending.then(
    (value) => {
      ended = value;
    },
    () => undefined,
  );
  return { lease: await started.promise, finish, fail, ending, endedWith: () => ended };
}
