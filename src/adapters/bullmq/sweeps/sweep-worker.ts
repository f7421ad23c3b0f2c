import { pause } from '../../../async/clock.js';
import type { SweepReport } from '../../../retention/ports.js';
import { RETENTION_QUEUE, SWEEP_SCHEDULER } from '../names.js';
import { overrideSweepOptions } from '../store/job-options.js';
import type { QueueStore } from '../store/queue-store.js';
import {
  createQueueWorker,
  LOCK_SETTINGS,
  type OpenWorker,
  type QueueWorker,
  type QueueWorkerDeps,
  REOPEN_MS,
} from '../worker/queue-worker.js';
import { ensureSchedule } from './ensure-schedule.js';
import { createScheduleWatchdog } from './stalled-schedule.js';
import { createSweepProcessor } from './sweep-processor.js';

const ENSURE_EVERY_MS = 15_000;

interface Deps extends QueueWorkerDeps {
  readonly backend: QueueWorkerDeps['backend'] & Pick<QueueStore, 'withScheduleLock'>;
  /** Rejects with the signal's reason once that is aborted. */
  readonly sweep: (signal: AbortSignal) => Promise<SweepReport>;
}

interface Settings {
  readonly everyMs: number;
  /** How often to check that the schedule exists: it is gone from a Redis that was emptied. */
  readonly ensureEveryMs?: number | undefined;
}

/** Runs the sweeps of the schedule, and keeps the schedule. */
export function createSweepWorker(deps: Deps, { everyMs, ensureEveryMs = ENSURE_EVERY_MS }: Settings): QueueWorker {
  const { backend, clock, report } = deps;

  async function keepSchedule({ queue, signal, onError }: OpenWorker): Promise<void> {
    const watchdog = createScheduleWatchdog({ queue, backend, clock });
    let mayChange = true;
    while (!signal.aborted) {
      try {
        await ensureSchedule({ queue, backend, everyMs, mayChange });
        mayChange = false;
        if (await watchdog.check())
          report.repaired(SWEEP_SCHEDULER, 'the schedule of sweeps no longer moved and was created again');
      } catch (error) {
        onError(error);
      }
      await pause(clock, mayChange ? REOPEN_MS : ensureEveryMs, signal);
    }
  }

  return createQueueWorker(deps, {
    queueName: RETENTION_QUEUE,
    what: "the sweeps' worker",
    processor: createSweepProcessor(deps),
    settings: { concurrency: 1, ...LOCK_SETTINGS },
    listen: ({ worker }) => worker.on('active', overrideSweepOptions),
    background: keepSchedule,
  });
}
