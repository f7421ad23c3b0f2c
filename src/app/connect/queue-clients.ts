import { createDeadLetters } from '../../adapters/bullmq/dead-letters/dead-letters.js';
import { createJobWaiter } from '../../adapters/bullmq/lookup/wait-for-jobs.js';
import { createJobLookup } from '../../adapters/bullmq/lookup/job-lookup.js';
import { createQueueTelemetry } from '../../adapters/bullmq/queue-telemetry.js';
import { type CleanupProducer, createCleanupQueue } from '../../adapters/bullmq/producer/cleanup-queue.js';
import { createScheduleStatus } from '../../adapters/bullmq/sweeps/schedule-status.js';
import type { DeadLetters } from '../../jobs/dead-letters.js';
import type { JobWaiter, JobLookup } from '../../jobs/ports.js';
import type { DeadLetterGames, SweepSchedule } from '../../retention/ports.js';
import type { Context } from '../context.js';
import type { ClientBackend } from '../not-yet-connected.js';
import type { ShutdownStack } from '../shutdown-stack.js';
import { queueReport } from './queue-store.js';

/** What commands, HTTP and sweeps may do with the queues. Each client connects at its first use. */
export interface Queues {
  readonly producer: CleanupProducer;
  readonly endings: JobWaiter;
  readonly lookup: JobLookup;
  readonly deadLetters: DeadLetters & DeadLetterGames;
  readonly schedule: SweepSchedule;
}

export function composeQueues({ clock, log }: Context, backend: ClientBackend, closing: ShutdownStack): Queues {
  const deps = { backend, clock, report: queueReport(log) };
  const closed = <Part extends { readonly close: () => Promise<void> }>(what: string, part: Part): Part => {
    closing.add(what, part.close);
    return part;
  };
  return {
    producer: closed('queue', createCleanupQueue({ ...deps, telemetry: createQueueTelemetry() })),
    endings: closed('endings', createJobWaiter(deps)),
    lookup: closed('job lookup', createJobLookup(deps)),
    deadLetters: closed('dead letters', createDeadLetters(deps)),
    schedule: closed('sweep schedule', createScheduleStatus(deps)),
  };
}
