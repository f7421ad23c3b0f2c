import type { Job } from 'bullmq';
import type { SweepReport } from '../../../retention/ports.js';
import { bullmq } from '../library.js';
import { SWEEP_JOB } from '../names.js';
import { SHUTDOWN } from '../worker/queue-worker.js';
import type { QueueReport } from '../store/queue-store.js';
import { storableError } from '../store/stored-text.js';
import { BugError } from '../../../domain/errors.js';

interface Deps {
  /** Rejects with the signal's reason once that is aborted. */
  readonly sweep: (signal: AbortSignal) => Promise<SweepReport>;
  readonly report: QueueReport;
}

type SweepJob = Pick<Job<unknown, unknown>, 'id' | 'name' | 'moveToWait'>;

/**
 * Three declared parameters: BullMQ counts them and creates no signal for fewer. BullMQ itself writes the outcome, unlike
 * that of a cleanup: a sweep is harmless when repeated, so one whose outcome could not be written simply runs again.
 */
export function createSweepProcessor({ sweep, report }: Deps) {
  const { DelayedError, UnrecoverableError } = bullmq();
  return async (job: SweepJob, token: string | undefined, signal: AbortSignal | undefined): Promise<unknown> => {
    if (job.name !== SWEEP_JOB) {
      const shown = JSON.stringify(job.name.slice(0, 100).toWellFormed());
      throw new UnrecoverableError(`invalid_request: job name ${shown} is unknown; allowed: ${SWEEP_JOB}`);
    }
    if (signal === undefined) throw new BugError('BullMQ gave the sweep no signal');
    try {
      return await sweep(signal);
    } catch (error) {
      if (!signal.aborted) {
        report.fault('a sweep failed', error);
        throw storableError(error);
      }
      if (signal.reason === SHUTDOWN) await job.moveToWait(token);
      else report.lockLost(job.id ?? '');
      // Tells BullMQ to write nothing: the job waits again, or belongs to another worker.
      throw new DelayedError();
    }
  };
}
