import type { Clock } from '../../../async/clock.js';
import { messageOf } from '../../../domain/errors.js';
import { RETRY_STORE_MS } from './job-options.js';
import type { QueueReport } from './queue-store.js';
import { isOutage, within } from './store-errors.js';

const PROBE_INTERVAL_MS = 1_000;
/** Must exceed RETRY_STORE_MS: a store can answer the probe and still reject writes, as a full Redis does. */
const QUIET_MS = 2 * RETRY_STORE_MS;
const SAME_FAULT_SILENCE_MS = 10_000;

interface Deps {
  readonly clock: Clock;
  readonly report: QueueReport;
  /** A cheap request that fails in the outage; once it succeeds and nothing fails any more, the outage is over. */
  readonly probe: () => Promise<unknown>;
}

/** Turns the many errors of an outage into one report at its start and one at its end. */
export interface OutageReporter {
  /** Takes every error; never throws. */
  readonly note: (cause: unknown, what: string) => void;
  /** Stops probing; nothing is reported any more. */
  readonly end: () => void;
}

interface Outage {
  readonly sinceMs: number;
  /** When a call last failed. */
  readonly failedAtMs: number;
  /** When a probe first succeeded since then. */
  answeredAtMs: number | undefined;
}

/**
 * An outage is over when probes succeed and no call has failed for a while. Both are needed: an idle worker makes no calls,
 * so the absence of failures proves nothing, and a store that answers reads may still refuse writes. An error that is not an
 * outage is reported on its own, the same one at most every ten seconds.
 */
export function createOutageReporter({ clock, report, probe }: Deps): OutageReporter {
  const lastFaults = new Map<string, number>();
  let outage: Outage | undefined;
  let ended = false;
  let cancelProbe = (): void => undefined;

  function note(cause: unknown, what: string): void {
    if (ended) return;
    if (isOutage(cause)) noteOutage(cause);
    else noteFault(cause, what);
  }

  function noteOutage(cause: unknown): void {
    const nowMs = clock.monotonicMs();
    const isNew = outage === undefined;
    outage = { sinceMs: outage?.sinceMs ?? nowMs, failedAtMs: nowMs, answeredAtMs: undefined };
    if (!isNew) return;
    report.unavailable(cause);
    probeLater();
  }

  function noteFault(cause: unknown, what: string): void {
    const key = `${what}: ${messageOf(cause)}`;
    const nowMs = clock.monotonicMs();
    const lastMs = lastFaults.get(key);
    if (lastMs !== undefined && nowMs - lastMs < SAME_FAULT_SILENCE_MS) return;
    if (lastFaults.size >= 100) lastFaults.clear();
    lastFaults.set(key, nowMs);
    report.fault(what, cause);
  }

  function probeLater(): void {
    cancelProbe = clock.after(PROBE_INTERVAL_MS, () => void tryProbe());
  }

  async function tryProbe(): Promise<void> {
    const answered = await within(clock, PROBE_INTERVAL_MS, Promise.resolve().then(probe)).then(
      () => true,
      () => false,
    );
    if (ended || outage === undefined) return;
    const nowMs = clock.monotonicMs();
    outage.answeredAtMs = answered ? (outage.answeredAtMs ?? nowMs) : undefined;
    if (outage.answeredAtMs === undefined || nowMs - outage.failedAtMs < QUIET_MS) {
      probeLater();
      return;
    }
    report.recovered(Math.round(outage.answeredAtMs - outage.sinceMs));
    outage = undefined;
  }

  return {
    note,
    end: () => {
      ended = true;
      cancelProbe();
    },
  };
}
