import { isoText } from '../domain/time.js';
import type { ScheduleStatus } from './ports.js';

interface Watch {
  /** By the database's clock, as the sweeps' own times are. */
  readonly now: Date;
  readonly intervalMs: number;
  /** When this process began to watch: before that there may have been no worker to run a sweep. */
  readonly watchedSince: Date;
}

/** A sweep that waits for its turn behind others is late, not lost; one interval more than its own is enough for that. */
export const INTERVALS_ALLOWED = 2;

/** What is wrong with the schedule of sweeps, in one sentence for readiness; undefined when nothing is. */
export function sweepProblem(status: ScheduleStatus, { now, intervalMs, watchedSince }: Watch): string | undefined {
  const { everyMs, last, lastFailure } = status;
  if (everyMs === null) return 'there is no schedule of retention sweeps; a worker that starts makes one';
  if (last?.status === 'refused') return `the last sweep enqueued nothing: ${last.reason}`;
  const finishedMs = last === null ? Number.NaN : Date.parse(last.finishedAt);
  const countedFromMs = Math.max(watchedSince.getTime(), Number.isNaN(finishedMs) ? -Infinity : finishedMs);
  if (now.getTime() - countedFromMs <= INTERVALS_ALLOWED * intervalMs) return undefined;
  const seen =
    last === null || Number.isNaN(finishedMs) ? 'none has finished yet' : `the last one at ${last.finishedAt}`;
  const failure =
    lastFailure === null ? '' : `; one failed at ${isoText(lastFailure.at, 'an unknown time')}: ${lastFailure.reason}`;
  return `no sweep finished within two intervals of ${intervalMs / 1_000} s, ${seen}${failure}`;
}
