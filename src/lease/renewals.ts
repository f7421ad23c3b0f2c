import type { Clock } from '../async/clock.js';

import { type LeaseTiming, renewalDueInMs } from './timing.js';
import { TimeoutError } from '../domain/errors.js';

export interface RenewalsOptions {
  readonly clock: Clock;
  readonly timing: LeaseTiming;
  /** When the lease was asked for, in monotonic time. */
  readonly askedAtMs: number;
  /** One question to the store; `false` means that the lease is not ours any more. */
  readonly renew: () => Promise<boolean>;
  readonly onRenewed: (askedAtMs: number) => void;
  readonly onRefused: () => void;
  readonly onFailed: (cause: unknown) => void;
}

/**
 * Asks for one renewal after another until stopped: at a third of the lease's life after a success, soon after a
 * failure. A question without an answer counts as failed when its deadline passes and only then is the next one asked;
 * an answer that arrives later still counts, because it is true of the lease.
 *
 * Returns the function that stops it; no callback is called from then on.
 */
export function startRenewals(options: RenewalsOptions): () => void {
  const { clock, timing, onRenewed, onRefused, onFailed } = options;
  let stopped = false;
  let cancelTimer: () => void;

  const ask = (): void => {
    const askedAtMs = clock.monotonicMs();
    let open = true;
    const close = (nextInMs: number): void => {
      if (!open || stopped) return;
      open = false;
      cancelTimer();
      cancelTimer = clock.after(nextInMs, ask);
    };
    const failed = (cause: unknown): void => {
      if (!open || stopped) return;
      onFailed(cause);
      close(timing.retryEveryMs);
    };
    const answered = (held: boolean): void => {
      if (stopped) return;
      if (held) onRenewed(askedAtMs);
      else onRefused();
      close(renewalDueInMs(clock.monotonicMs(), askedAtMs, timing));
    };
    cancelTimer = clock.after(timing.answerTimeoutMs, () =>
      failed(new TimeoutError('the lease store did not answer the renewal', timing.answerTimeoutMs)),
    );
    options.renew().then(answered, failed);
  };

  cancelTimer = clock.after(renewalDueInMs(clock.monotonicMs(), options.askedAtMs, timing), ask);
  return () => {
    stopped = true;
    cancelTimer();
  };
}
