import type { Check } from '../../cli/command-context.js';
import { formatDuration, shownSpan } from '../../config/duration.js';
import { INTERVALS_ALLOWED, sweepProblem } from '../../retention/health.js';
import type { FinishedSweep, ScheduleStatus } from '../../retention/ports.js';
import type { RetentionSummary } from '../../retention/retention-service.js';

type Finding = Omit<Check, 'name'>;

const START_A_WORKER = 'start one: "runtime-cleanup serve" or "runtime-cleanup worker"';

interface Expected {
  readonly now: Date;
  readonly intervalMs: number;
}

/** Whether sweeps run when they should. Before the first worker was started this is a warning: nothing is broken. */
export function scheduleFinding(status: ScheduleStatus, { now, intervalMs }: Expected): Finding {
  const { everyMs, next, last, lastFailure } = status;
  if (everyMs === null) {
    return {
      status: 'warn',
      detail: 'no sweeps are scheduled; the first worker to start does that',
      advice: START_A_WORKER,
    };
  }
  // The first sweep may be an interval away, so a sweep can be missing only after that.
  const watchedSince = last === null && next !== null ? new Date(next.getTime() - everyMs) : new Date(0);
  if (last?.status === 'refused') {
    return {
      status: 'failed',
      detail: `the last sweep, at ${last.finishedAt}, was refused: ${last.planned} of ${last.stopped} were due`,
      advice: `see retention below; the next sweep decides again, at ${isoOf(next)}`,
    };
  }
  const problem = sweepProblem(status, { now, intervalMs: everyMs, watchedSince });
  if (problem !== undefined) return { status: 'failed', detail: problem, advice: START_A_WORKER };
  const detail = [`every ${formatDuration(everyMs)}`, `next ${isoOf(next)}`, lastInWords(last)].join(', ');
  if (everyMs !== intervalMs) {
    return {
      status: 'warn',
      detail: `${detail}; RTMANAGER_CLEANUP_INTERVAL here is ${formatDuration(intervalMs)}`,
      advice: 'give all workers the same interval, then restart them',
    };
  }
  if (lastFailure !== null && (last === null || lastFailure.at.getTime() > Date.parse(last.finishedAt))) {
    return {
      status: 'warn',
      detail: `${detail}; the newest one failed at ${isoOf(lastFailure.at)}: ${lastFailure.reason}`,
      advice: 'see the log of the workers; the next sweep tries again',
    };
  }
  return { status: 'ok', detail };
}

function lastInWords(last: FinishedSweep | null): string {
  if (last === null) return 'none has finished yet';
  return last.status === 'done' ? `last ${last.finishedAt} (${last.enqueued} enqueued)` : `last ${last.finishedAt}`;
}

/** Whether the containers that are due are removed. */
export function retentionFinding(summary: RetentionSummary, intervalMs: number): Finding {
  const { due, stopped, held, deadLetters, lagMs, refusal } = summary;
  const kept = `${held} held, ${deadLetters} with a dead letter`;
  const detail = `${due} of ${stopped} stopped containers are due, ${kept}, lag ${shownSpan(lagMs)}`;
  if (refusal !== null) return { status: 'failed', detail: `${detail}; a sweep would be refused`, advice: refusal };
  if (lagMs > INTERVALS_ALLOWED * intervalMs) {
    return {
      status: 'warn',
      detail: `${detail}; that is more than two intervals of ${formatDuration(intervalMs)}`,
      advice:
        'see whether a worker runs, and "runtime-cleanup log <game-id>" of the oldest in "runtime-cleanup sweep --dry-run"',
    };
  }
  return { status: 'ok', detail };
}

const isoOf = (at: Date | null): string => (at === null || Number.isNaN(at.getTime()) ? 'unknown' : at.toISOString());
