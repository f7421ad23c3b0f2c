import type { Clock } from '../../clock.js';
import { messageOf } from '../../domain/errors.js';
import type { QueueReport } from './report.js';
import { isOutage } from './store-errors.js';
import { within } from './time.js';

const PROBE_INTERVAL_MS = 1_000;
const SAME_FAULT_SILENCE_MS = 10_000;

interface Deps {
  readonly clock: Clock;
  readonly report: QueueReport;
  /** Any small question to the store; its answer ends the streak. */
  readonly probe: () => Promise<unknown>;
}

/** Turns a flood of errors into one report at its start and one at its end. */
export interface Streak {
  /** To be called with every error; never throws. */
  readonly note: (cause: unknown, what: string) => void;
  /** Stops probing; nothing is reported any more. */
  readonly end: () => void;
}

/**
 * An outage is over when a probe is answered, not when errors stop: an idle worker without errors may just not have
 * asked. Errors that are no outage are reported by themselves, the same one at most every ten seconds.
 */
export function createStreak({ clock, report, probe }: Deps): Streak {
  const lastFaults = new Map<string, number>();
  let outageSinceMs: number | undefined;
  let ended = false;
  let cancelProbe = (): void => undefined;

  function note(cause: unknown, what: string): void {
    if (ended) return;
    if (!isOutage(cause)) {
      noteFault(cause, what);
    } else if (outageSinceMs === undefined) {
      outageSinceMs = clock.monotonicMs();
      report.unavailable(cause);
      probeLater();
    }
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
    if (ended || outageSinceMs === undefined) return;
    if (!answered) {
      probeLater();
      return;
    }
    const outageMs = Math.round(clock.monotonicMs() - outageSinceMs);
    outageSinceMs = undefined;
    report.recovered(outageMs);
  }

  return {
    note,
    end: () => {
      ended = true;
      cancelProbe();
    },
  };
}
