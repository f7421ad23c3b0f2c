import { createDeadLetters } from '../../../src/adapters/bullmq/dead-letters/dead-letters.js';
import { createJobLookup } from '../../../src/adapters/bullmq/lookup/job-lookup.js';
import { createJobWaiter } from '../../../src/adapters/bullmq/lookup/wait-for-jobs.js';
import { createCleanupQueue } from '../../../src/adapters/bullmq/producer/cleanup-queue.js';
import { createCleanupWorker } from '../../../src/adapters/bullmq/worker/cleanup-worker.js';
import { systemClock } from '../../../src/async/clock.js';
import { failure, type Result } from '../../../src/domain/result.js';
import { createJobConsumer } from '../../../src/jobs/consume.js';
import type { JobState } from '../../../src/jobs/ports.js';
import type { Harnesses } from '../../contract/hooks.js';
import { createFakePlatform, type FakePlatform } from '../fakes/platform.js';
import { addFailedFakeJob, addFakeJob } from '../fakes/state.js';
import { startFakeWorker } from '../fakes/worker.js';
import { addFailedJobs, type FailedJobSeed } from './failed-jobs.js';
import { success } from './queue-scripts.js';
import { PATIENT_CLOCK, type QueueSpace, startStore, type StoreKind } from './queue-stores.js';

type QueuePorts = Pick<FakePlatform, 'cleanupQueue' | 'jobLookup' | 'jobWaiter' | 'deadLetters'>;

interface AddOptions {
  readonly delayMs?: number;
  /** Live jobs with the same key are one job. */
  readonly key?: string;
}

/** The ports of one empty queue, and ways behind their back. */
export interface QueueHarness extends QueuePorts {
  /** Adds a job as any client of the queue may; resolves to its id. */
  readonly add: (data: unknown, options?: AddOptions) => Promise<string>;
  /** Adds jobs that have failed, with any content; resolves to their ids. */
  readonly addFailed: (seeds: readonly FailedJobSeed[]) => Promise<readonly string[]>;
  readonly dataOf: (jobId: string) => Promise<unknown>;
  readonly stateOf: (jobId: string) => Promise<JobState>;
  /** Starts the real job consumer; each cleanup ends as `answer` says. */
  readonly startWorker: () => Promise<void>;
  readonly stopWorker: () => Promise<void>;
  answer: (gameId: string) => Result | Promise<Result>;
  /** How often each game's cleanup was tried. */
  readonly tried: Map<string, number>;
  readonly close: () => Promise<void>;
}

export type QueueHarnesses = Harnesses<QueueHarness>;

/** What a queue must bring for the harness. */
type Queue = QueuePorts &
  Pick<QueueHarness, 'add' | 'addFailed' | 'dataOf' | 'close'> & {
    readonly work: (consumer: ReturnType<typeof createJobConsumer>) => Promise<() => Promise<void>>;
  };

const RETRY_AFTER_MS = 20;

function harnessOf({ work, ...queue }: Queue): QueueHarness {
  const tried = new Map<string, number>();
  let stop: (() => Promise<void>) | undefined;
  const consumer = createJobConsumer(
    {
      cleanup: {
        handle: async ({ gameId }) => {
          tried.set(gameId, (tried.get(gameId) ?? 0) + 1);
          return harness.answer(gameId);
        },
        refuse: async (_command, code, message) => failure(code, message),
      },
      clock: systemClock,
      random: () => 0.5,
      traceId: () => 'trace-1',
    },
    { conflictMaxAttempts: 2, conflictMaxDelayMs: RETRY_AFTER_MS, retryMaxAgeMs: 60_000 },
  );
  const harness: QueueHarness = {
    ...queue,
    stateOf: async (jobId) => (await queue.jobLookup.find(jobId))?.state ?? 'unknown',
    startWorker: async () => {
      stop = await work(consumer);
    },
    stopWorker: async () => {
      await stop?.();
      stop = undefined;
    },
    answer: success,
    tried,
    close: async () => {
      await harness.stopWorker();
      await queue.close();
    },
  };
  return harness;
}

export const fakeQueues = async (): Promise<QueueHarnesses> => ({
  open: async () => {
    const platform = createFakePlatform({ clock: systemClock });
    const { state } = platform;
    return harnessOf({
      ...platform,
      add: async (data, { delayMs, key = null } = {}) => {
        const nextTryAt = delayMs === undefined ? null : new Date(state.clock.now().getTime() + delayMs);
        const waits = nextTryAt === null ? {} : { state: 'delayed' as const, nextTryAt };
        return addFakeJob(state, data, { key, ...waits }).jobId;
      },
      addFailed: async (seeds) => seeds.map((seed) => addFailedFakeJob(state, seed).jobId),
      dataOf: async (jobId) => state.jobs.get(jobId)?.data,
      work: async (consumer) => startFakeWorker(state, consumer).stop,
      close: async () => undefined,
    });
  },
  close: async () => undefined,
});

export async function bullmqQueues(kind: StoreKind): Promise<QueueHarnesses> {
  const store = await startStore(kind);
  return {
    open: async () => {
      const space = await store.space();
      const { plain } = space;
      const ports = portsOf(space);
      return harnessOf({
        ...ports,
        add: async (data, { delayMs, key } = {}) => {
          const deduplication = key === undefined ? {} : { deduplication: { id: key } };
          const delay = delayMs === undefined ? {} : { delay: delayMs };
          return (await plain.add('cleanup_container', data, { ...delay, ...deduplication })).id ?? '';
        },
        addFailed: (seeds) => addFailedJobs(store, space, seeds),
        dataOf: async (jobId) => (await plain.getJob(jobId))?.data as unknown,
        work: async (consumer) => {
          const deps = { backend: space.backend, clock: systemClock, report: space.report };
          const worker = createCleanupWorker({ ...deps, consumer, abandoned: consumer.abandoned });
          await worker.start();
          return () => worker.stop({ graceMs: 0 });
        },
        close: async () => {
          await Promise.all(Object.values(ports).map((port) => port.close()));
          await space.close();
        },
      });
    },
    close: store.stop,
  };
}

function portsOf({ backend, report }: QueueSpace) {
  const deps = { backend, clock: systemClock, report };
  return {
    cleanupQueue: createCleanupQueue({ ...deps, clock: PATIENT_CLOCK }),
    jobLookup: createJobLookup(deps),
    jobWaiter: createJobWaiter(deps),
    deadLetters: createDeadLetters(deps),
  };
}
