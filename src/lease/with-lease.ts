import type { Clock } from '../async/clock.js';
import type { Grant, HeldLease, Lease } from './held-lease.js';
import type { LeaseStore } from './lease-store.js';
import type { LeaseSettings, LeaseTiming } from './timing.js';

import {
  LeaseLostError,
  messageOf,
  requireFunctions,
  TimeoutError,
  UnavailableError,
  WeakTokenError,
} from '../domain/errors.js';
import { holdLease } from './held-lease.js';
import { leaseTiming } from './timing.js';
import { withDeadline, type Deadline } from '../async/deadline.js';

export type { Lease } from './held-lease.js';

/** How a piece of work under a lease ended. */
export type LeaseEnding<T> =
  /** The work resolved. Also when the lease was lost meanwhile: only the work knows what it had finished by then. */
  | { readonly status: 'done'; readonly value: T }
  /** Another token holds the lease; the work was not started. */
  | { readonly status: 'busy' }
  /** The store could not be asked; the work was not started. */
  | { readonly status: 'unavailable'; readonly cause: unknown }
  /** The lease was lost before the work could end well. */
  | { readonly status: 'lost'; readonly reason: string };

export interface Leases {
  /**
   * Runs `work` while this process holds the game's lease, and resolves when the work has settled and the lease is
   * released. Rejects with the parent's reason when the parent's signal has aborted and the work did not resolve, with
   * any other error of the work, and with the error of the token source.
   */
  readonly withLease: <T>(
    gameId: string,
    parent: AbortSignal,
    work: (lease: Lease) => Promise<T>,
  ) => Promise<LeaseEnding<T>>;
}

export interface LeaseDeps {
  readonly store: LeaseStore;
  readonly clock: Clock;
  /** An unguessable text, new at each call. */
  readonly newToken: () => string;
  /** Called when a lease could not be released and will end by itself. Must not throw. */
  readonly releaseFailed: (gameId: string, cause: unknown) => void;
}

/** Throws `ConfigurationError` for missing collaborators and contradictory settings. */
export function createLeases(deps: LeaseDeps, settings: LeaseSettings): Leases {
  requireParts(deps);
  const timing = leaseTiming(settings);

  return {
    withLease: async (gameId, parent, work) => {
      parent.throwIfAborted();
      const grant: Grant = { gameId, token: drawToken(deps.newToken), askedAtMs: deps.clock.monotonicMs() };
      const answer = await acquire(deps, timing, grant);
      if (answer.status !== 'granted') {
        parent.throwIfAborted();
        return answer;
      }
      const held = holdLease({ store: deps.store, clock: deps.clock, timing }, grant, parent);
      try {
        return await runUnder(held, parent, work);
      } finally {
        held.stop();
        await release(deps, timing, grant);
      }
    },
  };
}

type AcquireAnswer =
  | { readonly status: 'granted' }
  | { readonly status: 'busy' }
  | { readonly status: 'unavailable'; readonly cause: unknown };

async function acquire(deps: LeaseDeps, timing: LeaseTiming, grant: Grant): Promise<AcquireAnswer> {
  const ask = async (): Promise<boolean> => deps.store.acquire(grant.gameId, grant.token, timing.ttlMs);
  const asked = ask();
  try {
    const granted = await withDeadline(answerDeadline(deps, 'acquisition', timing.answerTimeoutMs), () => asked);
    return { status: granted ? 'granted' : 'busy' };
  } catch (cause) {
    void releaseUnknown(deps, timing, grant, asked);
    if (cause instanceof UnavailableError) return { status: 'unavailable', cause };
    throw cause;
  }
}

/**
 * The caller does not wait for this. A failed acquisition may still have taken the lease; one release spares the game the
 * wait for its end. It is sent only when the acquisition has settled, or the acquisition could take effect after it.
 */
async function releaseUnknown(
  deps: LeaseDeps,
  timing: LeaseTiming,
  grant: Grant,
  asked: Promise<boolean>,
): Promise<void> {
  const mayBeOurs = await asked.catch(() => true);
  if (!mayBeOurs) return;
  await askRelease(deps, timing, grant).catch(() => {
    // The caller already has the store's failure; a lease that was taken after all ends by itself.
  });
}

async function runUnder<T>(
  held: HeldLease,
  parent: AbortSignal,
  work: (lease: Lease) => Promise<T>,
): Promise<LeaseEnding<T>> {
  const { lease } = held;
  try {
    parent.throwIfAborted();
    lease.assertHeld();
    return { status: 'done', value: await work(lease) };
  } catch (error) {
    // First of all: a caller that aborted the work expects its own reason, not a judgement on the lease.
    parent.throwIfAborted();
    const reason = held.lostReason();
    if (error instanceof LeaseLostError) return { status: 'lost', reason: reason ?? error.reason };
    if (reason === undefined) throw error;
    return { status: 'lost', reason: `${reason} (the work ended with: ${messageOf(error)})` };
  }
}

async function release(deps: LeaseDeps, timing: LeaseTiming, grant: Grant): Promise<void> {
  try {
    await askRelease(deps, timing, grant);
  } catch (cause) {
    deps.releaseFailed(grant.gameId, cause);
  }
}

/** The store compares the token, so a release is harmless when another token holds the lease by now. */
async function askRelease(deps: LeaseDeps, timing: LeaseTiming, { gameId, token }: Grant): Promise<void> {
  await withDeadline(answerDeadline(deps, 'release', timing.releaseTimeoutMs), () => deps.store.release(gameId, token));
}

const answerDeadline = ({ clock }: LeaseDeps, question: string, limitMs: number): Deadline => ({
  clock,
  limitMs,
  late: () => new TimeoutError(`the lease store did not answer the ${question}`, limitMs),
});

const requireParts = ({ store, clock, newToken, releaseFailed }: LeaseDeps): void =>
  requireFunctions('the leases', {
    'store.acquire': store?.acquire,
    'store.renew': store?.renew,
    'store.release': store?.release,
    'clock.monotonicMs': clock?.monotonicMs,
    'clock.after': clock?.after,
    newToken,
    releaseFailed,
  });

/** 128 random bits as base64url. */
const TOKEN_MIN_CHARACTERS = 22;

/**
 * One token for one acquisition. What the source throws goes to the caller: a lease under a guessable or repeated token
 * protects nothing, so there is nothing to fall back to.
 */
export function drawToken(newToken: () => string): string {
  const token = newToken();
  if (typeof token !== 'string' || token.length < TOKEN_MIN_CHARACTERS) {
    throw new WeakTokenError(`the token source gave a token of fewer than ${TOKEN_MIN_CHARACTERS} characters`);
  }
  return token;
}
