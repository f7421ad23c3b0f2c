import type { Clock } from '../async/clock.js';
import type { LeaseStore } from './lease-store.js';

import { messageOf, LeaseLostError } from '../domain/errors.js';
import { startRenewals } from './renewals.js';
import { extendedTrustEndMs, isTrusted, type LeaseTiming, trustEndMs } from './timing.js';

/** What the work is given. */
export interface Lease {
  /** Aborts when the lease is lost (reason: `LeaseLostError`) or the caller's signal does (reason: the caller's). */
  readonly signal: AbortSignal;
  /**
   * Throws `LeaseLostError` unless the lease may be trusted at this very moment. Belongs on the line before a step that
   * cannot be undone: the signal alone depends on a timer, and a process that was frozen runs on before its timers do.
   */
  readonly assertHeld: () => void;
}

/** An acquisition that the store answered with yes. */
export interface Grant {
  readonly gameId: string;
  readonly token: string;
  /** When the store was asked, in monotonic time. */
  readonly askedAtMs: number;
}

export interface HeldLease {
  readonly lease: Lease;
  /** Why the lease is lost; undefined while it may be trusted. Asks the clock. */
  readonly lostReason: () => string | undefined;
  /** Ends renewals, timers and listeners. From then on the lease cannot be asserted. */
  readonly stop: () => void;
}

interface Deps {
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly timing: LeaseTiming;
}

/** Renews a granted lease and watches over its trusted time (states and transitions: README.md). */
export function holdLease({ store, clock, timing }: Deps, grant: Grant, parent: AbortSignal): HeldLease {
  const { gameId, token, askedAtMs } = grant;
  const controller = new AbortController();
  let endMs = trustEndMs(askedAtMs, timing);
  let lost: LeaseLostError | undefined;
  let lastFailure = '';

  const lose = (reason: string): void => {
    if (lost !== undefined) return;
    lost = new LeaseLostError(gameId, reason);
    stopRenewals();
    cancelWatch();
    controller.abort(lost);
  };
  const lossByNow = (): LeaseLostError | undefined => {
    if (!isTrusted(clock.monotonicMs(), endMs)) {
      lose(`it was not confirmed in time to be trusted any longer${lastFailure}`);
    }
    return lost;
  };
  // One timer for the whole lease: renewals move the end, and the timer checks it when it fires.
  const watch = (): (() => void) =>
    clock.after(endMs - clock.monotonicMs(), () => {
      if (lossByNow() === undefined) cancelWatch = watch();
    });
  const followParent = (): void => controller.abort(parent.reason);

  const stopRenewals = startRenewals({
    clock,
    timing,
    askedAtMs,
    renew: async () => store.renew(gameId, token, timing.ttlMs),
    onRenewed: (renewalAskedAtMs) => {
      // Trust that has ended does not come back with a late answer: the work may have been aborted already.
      if (lossByNow() !== undefined) return;
      endMs = extendedTrustEndMs(endMs, renewalAskedAtMs, timing);
      lastFailure = '';
    },
    onRefused: () => lose('the store says that it ran out or that another token holds it'),
    onFailed: (cause) => {
      lastFailure = `; the last renewal failed: ${messageOf(cause)}`;
    },
  });
  let cancelWatch = watch();
  parent.addEventListener('abort', followParent, { once: true });

  return {
    lease: {
      signal: controller.signal,
      assertHeld: () => {
        const loss = lossByNow();
        if (loss !== undefined) throw loss;
      },
    },
    lostReason: () => lossByNow()?.reason,
    stop: () => {
      stopRenewals();
      cancelWatch();
      parent.removeEventListener('abort', followParent);
      lost ??= new LeaseLostError(gameId, 'it was released');
    },
  };
}
