import { randomUUID } from 'node:crypto';
import type { Telemetry } from 'bullmq';
import type { Clock } from '../../clock.js';
import { messageOf, UnavailableError } from '../../domain/errors.js';
import type { CleanupJobData, CleanupQueue, EnqueuedJob } from '../../jobs/ports.js';
import type { JobQueue, QueueBackend } from './backend.js';
import { deduplicationId, isPersonal, storageProblem } from './coalescing.js';
import { type QueueCounts, queueCountsOf } from './job-state.js';
import { inLanes } from './lanes.js';
import { CLEANUP_JOB } from './names.js';
import type { QueueReport } from './report.js';
import { isPassing } from './store-errors.js';
import { createStreak } from './streak.js';
import { tellStored } from './stored-request.js';
import { within } from './time.js';

const ANSWER_LIMIT_MS = 1_000;
/** For one step of a batch, once the store has just shown that it answers. */
const BATCH_LIMIT_MS = 10_000;
/** A batch takes one lock a job in PostgreSQL, all in one transaction. */
const BATCH = 500;

interface Deps {
  readonly backend: QueueBackend;
  readonly clock: Clock;
  readonly report: QueueReport;
  readonly telemetry?: Telemetry | undefined;
}

export interface CleanupProducer extends CleanupQueue {
  /** How many jobs are in each state; rejects like `enqueue`. */
  readonly counts: () => Promise<QueueCounts>;
}

/**
 * The producer. Connects at its first use, so it may be made while the store is away. Rejects with a `TypeError` for
 * text that no store can hold; everything else is the worker's to judge.
 *
 * A request that timed out may still have been carried out. Asking again is safe: one live cleanup per game.
 */
export function createCleanupQueue({ backend, clock, report, telemetry }: Deps): CleanupProducer {
  const streak = createStreak({ clock, report, probe: async () => (await opened())?.getActiveCount() });
  const onError = (cause: unknown): void => streak.note(cause, "the queue's producer");
  let opening: Promise<JobQueue> | undefined;
  let closed = false;

  /** A first connection that failed is forgotten, the next call tries anew. */
  function opened(): Promise<JobQueue> {
    if (closed) return Promise.reject(new UnavailableError('queue', 'the queue has been closed'));
    if (opening === undefined) {
      const attempt = backend.queue({ onError, telemetry });
      opening = attempt;
      attempt.catch(() => {
        if (opening === attempt) opening = undefined;
      });
    }
    return opening;
  }

  async function ask<T>(limitMs: number, work: (queue: JobQueue) => Promise<T>): Promise<T> {
    try {
      return await within(clock, limitMs, opened().then(work));
    } catch (cause) {
      if (cause instanceof UnavailableError || !isPassing(cause)) throw cause;
      throw new UnavailableError('queue', `the queue's store cannot answer: ${messageOf(cause)}`, { cause });
    }
  }

  async function enqueue(requests: readonly CleanupJobData[]): Promise<readonly EnqueuedJob[]> {
    const problem = requests.map(storageProblem).find((found) => found !== undefined);
    if (problem !== undefined) throw new TypeError(problem);
    if (requests.length === 0) return [];
    const [first] = requests;
    if (first !== undefined && requests.length === 1) return ask(ANSWER_LIMIT_MS, (queue) => addBatch(queue, [first]));
    return enqueueMany(requests);
  }

  async function enqueueMany(requests: readonly CleanupJobData[]): Promise<readonly EnqueuedJob[]> {
    const answers: EnqueuedJob[] = [];
    for (let start = 0; start < requests.length; start += BATCH) {
      const batch = requests.slice(start, start + BATCH);
      // A batch may take long; a store that is gone must not.
      await ask(ANSWER_LIMIT_MS, (queue) => queue.getActiveCount());
      answers.push(...(await ask(BATCH_LIMIT_MS, (queue) => addBatch(queue, batch))));
    }
    return answers;
  }

  async function close(): Promise<void> {
    if (closed) return;
    const queue = opening;
    closed = true;
    streak.end();
    if (queue === undefined) return;
    // A store that is away cannot be said goodbye to.
    await within(
      clock,
      ANSWER_LIMIT_MS,
      queue.then((open) => open.close()),
    ).catch(() => undefined);
  }

  return {
    enqueue,
    close,
    counts: () => ask(ANSWER_LIMIT_MS, async (queue) => queueCountsOf(await queue.getJobCounts())),
  };
}

/** Adds the jobs in one step, then reads them back: BullMQ does not tell whether it stored a job or found a live one. */
async function addBatch(queue: JobQueue, requests: readonly CleanupJobData[]): Promise<readonly EnqueuedJob[]> {
  const batchId = randomUUID();
  const added = await queue.addBulk(
    requests.map((data, index) => {
      const deduplication = { id: deduplicationId(data.gameId) };
      // BullMQ keeps options it does not know; by this one we know our own job again.
      const opts = { deduplication, requestId: `${batchId}:${index}` };
      return { name: CLEANUP_JOB, data, opts };
    }),
  );
  return inLanes(requests, async (data, index) => {
    const jobId = added[index]?.id;
    if (jobId === undefined) throw new Error('BullMQ answered for fewer jobs than were added');
    return tellStored(queue, data, { jobId, requestId: `${batchId}:${index}` }, isPersonal(data.opSource));
  });
}
