import { randomUUID } from 'node:crypto';
import type { JobsOptions, Telemetry } from 'bullmq';
import type { Clock } from '../../../async/clock.js';
import type { CleanupJobData, CleanupQueue, EnqueuedJob } from '../../../jobs/ports.js';
import { type JobQueue, type QueueStore, STORE_CONCURRENCY } from '../store/queue-store.js';
import { deduplicationId, isFromSweep, storageProblem } from './deduplication.js';
import { type QueueCounts, queueCountsOf } from '../store/job-state.js';
import { mapConcurrent } from '../../../async/map-concurrent.js';
import { createLazyQueue } from '../store/lazy-queue.js';
import { CLEANUP_JOB } from '../names.js';
import type { QueueReport } from '../store/queue-store.js';
import { outcomeOf, outcomeOfSweep } from './enqueue-outcome.js';
import { InvalidArgumentError, BugError } from '../../../domain/errors.js';

/** BullMQ takes jobs without a priority first: a sweep may enqueue a hundred thousand, and people must not wait for them. */
const BEHIND_PEOPLE = { priority: 10 };

const ANSWER_LIMIT_MS = 1_000;
/** For one step of a batch, once the store has just shown that it answers. */
const BATCH_LIMIT_MS = 10_000;
/** PostgreSQL takes one lock for each job of a batch, all in one transaction. */
const BATCH = 500;

interface Deps {
  readonly backend: Pick<QueueStore, 'queue'>;
  readonly clock: Clock;
  readonly report: QueueReport;
  readonly telemetry?: Telemetry | undefined;
}

export interface CleanupProducer extends CleanupQueue {
  /** How many jobs are in each state; rejects like `enqueue`. */
  readonly counts: () => Promise<QueueCounts>;
}

/**
 * The producer. Connects at its first use, so it may be created while the store is unavailable. Rejects with a `TypeError`
 * for text that no store can hold; the worker judges everything else.
 *
 * A request that timed out may still take effect. Repeating it is safe: a game has one live cleanup.
 */
export function createCleanupQueue({ backend, clock, report, telemetry }: Deps): CleanupProducer {
  const { ask, close } = createLazyQueue({ backend, clock, report, telemetry, what: "the queue's producer" });

  async function enqueue(requests: readonly CleanupJobData[]): Promise<readonly EnqueuedJob[]> {
    const problem = requests.map(storageProblem).find((found) => found !== undefined);
    if (problem !== undefined) throw new InvalidArgumentError(problem);
    if (requests.length === 0) return [];
    const [first] = requests;
    if (first !== undefined && requests.length === 1) return ask(ANSWER_LIMIT_MS, (queue) => addBatch(queue, [first]));
    return enqueueMany(requests);
  }

  async function enqueueMany(requests: readonly CleanupJobData[]): Promise<readonly EnqueuedJob[]> {
    const answers: EnqueuedJob[] = [];
    for (let start = 0; start < requests.length; start += BATCH) {
      const batch = requests.slice(start, start + BATCH);
      // A batch may take long, but an unavailable store must be found within a second.
      await ask(ANSWER_LIMIT_MS, (queue) => queue.getActiveCount());
      answers.push(...(await ask(BATCH_LIMIT_MS, (queue) => addBatch(queue, batch))));
    }
    return answers;
  }

  return {
    enqueue,
    close,
    counts: () => ask(ANSWER_LIMIT_MS, async (queue) => queueCountsOf(await queue.getJobCounts())),
  };
}

/** Adds the jobs in one step, then reads each outcome: BullMQ's answer does not distinguish a new job from a live one. */
async function addBatch(queue: JobQueue, requests: readonly CleanupJobData[]): Promise<readonly EnqueuedJob[]> {
  const ids = requests.map(() => randomUUID());
  const added = await queue.addBulk(
    requests.map((data, index) => ({ name: CLEANUP_JOB, data, opts: optionsFor(data, ids[index] ?? '') })),
  );
  return mapConcurrent(requests, STORE_CONCURRENCY, async (data, index) => {
    const jobId = added[index]?.id;
    if (jobId === undefined) throw new BugError('BullMQ answered for fewer jobs than were added');
    const stored = { jobId, requestId: ids[index] ?? '' };
    return isFromSweep(data) ? outcomeOfSweep(queue, data, stored) : outcomeOf(queue, data, stored);
  });
}

/**
 * A new job is recognised by the id of its request. For a sweep, which adds very many, that is the job's own id, so that no
 * new job needs to be read back. Other jobs keep the short ids that BullMQ gives, and have the id of the request among
 * their options: BullMQ keeps options that it does not know.
 */
function optionsFor(data: CleanupJobData, requestId: string): JobsOptions {
  const deduplication = { id: deduplicationId(data.gameId) };
  const own = isFromSweep(data) ? { jobId: requestId, ...BEHIND_PEOPLE } : { requestId };
  return { deduplication, ...own };
}
