/**
 * Recovers jobs that are stuck, or that failed for a reason that this program did not write: BullMQ itself recorded it, an
 * older configuration did, or a client stored data that no worker can read. They are put back, and the consumer decides on
 * them as on any job.
 */
import { readReason } from '../../../jobs/failure-reason.js';
import type { JobQueue, QueueStore } from '../store/queue-store.js';
import { overrideJobOptions } from '../store/job-options.js';
import type { QueueReport } from '../store/queue-store.js';

const PAGE = 100;
const MAX_PAGES = 200;

interface Deps {
  readonly queue: JobQueue;
  readonly backend: Pick<QueueStore, 'kind' | 'repairJob'>;
  readonly report: QueueReport;
}

export interface JobRecoverer {
  /** Goes through the failed jobs once, newest first, twenty thousand at most. */
  readonly recoverFailed: (signal: AbortSignal) => Promise<void>;
  /** Puts one failed job back unless this program wrote its reason. Resolves to whether it put the job back. */
  readonly recoverFailedJob: (jobId: string) => Promise<boolean>;
  /** Repairs a job that was found stalled if it cannot be read, because such a job can never run. */
  readonly repairStalled: (jobId: string) => Promise<void>;
}

export function createJobRecoverer({ queue, backend, report }: Deps): JobRecoverer {
  async function recoverFailed(signal: AbortSignal): Promise<void> {
    let start = 0;
    for (let page = 0; page < MAX_PAGES && !signal.aborted; page++) {
      const ids = await queue.getRanges(['failed'], start, start + PAGE - 1, false);
      if (ids.length === 0) return;
      for (const id of ids) {
        if (signal.aborted) return;
        // A job that was put back leaves the listing, and the next one moves up.
        if (!(await recoverFailedJob(id))) start += 1;
      }
    }
  }

  async function recoverFailedJob(jobId: string): Promise<boolean> {
    const job = await readable(jobId);
    if (job === undefined || readReason(job.failedReason ?? '') !== undefined) return false;
    const reason = job.failedReason ?? '';
    overrideJobOptions(job, backend.kind);
    try {
      await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true });
    } catch (error) {
      report.fault(`failed job ${jobId} could not be put back`, error);
      return false;
    }
    report.repaired(jobId, `failed with "${reason.slice(0, 200)}", which this program did not write; it runs again`);
    return true;
  }

  async function repairStalled(jobId: string): Promise<void> {
    await readable(jobId);
  }

  async function readable(jobId: string): Promise<Awaited<ReturnType<JobQueue['getJob']>>> {
    try {
      return await queue.getJob(jobId);
    } catch (error) {
      const isUnreadable = error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError;
      if (!isUnreadable) throw error;
      if (!(await backend.repairJob(jobId))) throw error;
      report.repaired(jobId, 'its stored data could not be read and was replaced');
      return queue.getJob(jobId);
    }
  }

  return { recoverFailed, recoverFailedJob, repairStalled };
}
