import type { Clock } from '../../clock.js';
import type { FinishedSweep, SweepSchedule } from '../../retention/ports.js';
import type { QueueBackend } from './backend.js';
import { createLazyQueue } from './lazy-queue.js';
import { RETENTION_QUEUE, SWEEP_SCHEDULER } from './names.js';
import type { QueueReport } from './report.js';
import { isFinishedSweep } from './sweep-report.js';

const ANSWER_LIMIT_MS = 1_000;
/** How far back to look for a sweep that came to its end; the others found one under way. */
const NEWEST = 20;

interface Deps {
  readonly backend: Pick<QueueBackend, 'queue'>;
  readonly clock: Clock;
  readonly report: QueueReport;
}

export function createSweepSchedule(deps: Deps): SweepSchedule & { readonly close: () => Promise<void> } {
  const { ask, close } = createLazyQueue({ ...deps, name: RETENTION_QUEUE, what: 'the schedule of sweeps' });
  return {
    close,
    status: () =>
      ask(ANSWER_LIMIT_MS, async (queue) => {
        const [scheduler, completed, failed] = await Promise.all([
          queue.getJobScheduler(SWEEP_SCHEDULER),
          queue.getJobs(['completed'], 0, NEWEST - 1, false),
          queue.getJobs(['failed'], 0, 0, false),
        ]);
        const reports: readonly unknown[] = completed.map((job) => job?.returnvalue);
        const [newestFailure] = failed;
        return {
          everyMs: scheduler?.every ?? null,
          next: instant(scheduler?.next),
          last: reports.find((report): report is FinishedSweep => isFinishedSweep(report)) ?? null,
          lastFailure:
            newestFailure === undefined
              ? null
              : { at: new Date(newestFailure.finishedOn ?? Number.NaN), reason: newestFailure.failedReason ?? '' },
        };
      }),
  };
}

const instant = (ms: number | undefined): Date | null => (ms === undefined ? null : new Date(ms));
