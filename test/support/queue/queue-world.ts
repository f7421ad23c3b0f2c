/** What the tests of the queue share: a store for a file, an empty space in it for each test, and workers on that space. */
import type { Telemetry } from 'bullmq';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { QueueStore, WorkerSettings } from '../../../src/adapters/bullmq/store/queue-store.js';
import { createSweepWorker } from '../../../src/adapters/bullmq/sweeps/sweep-worker.js';
import { createCleanupWorker } from '../../../src/adapters/bullmq/worker/cleanup-worker.js';
import type { QueueWorker } from '../../../src/adapters/bullmq/worker/queue-worker.js';
import { createQueueTelemetry } from '../../../src/adapters/bullmq/queue-telemetry.js';
import { type Clock, systemClock } from '../../../src/async/clock.js';
import type { JobConsumer } from '../../../src/jobs/delivery.js';
import type { SweepReport } from '../../../src/retention/ports.js';
import { createChanges } from '../changes.js';
import { jobSettled, nextSteps, type StepRecording } from '../steps.js';
import { abandonedByQueue } from './queue-scripts.js';
import { type QueueSpace, type SpaceOptions, startStore, type StoreKind, type TestStore } from './queue-stores.js';

const JOB = 'cleanup_container';

export const requestFor = (gameId: string) => ({ gameId, opSource: 'lobby_stream' });

interface Sweeping {
  readonly everyMs: number;
  readonly ensureEveryMs: number;
  readonly clock?: Clock;
  readonly backend?: QueueStore;
}

export interface QueueWorld {
  readonly store: TestStore;
  /** Empty at the start of each test. */
  readonly space: QueueSpace;
  /** The jobs that BullMQ abandoned in this test, as `<job id>: <reason>`. */
  readonly abandoned: readonly string[];
  /** What the parts of the queue adapter are created with. */
  readonly deps: () => Pick<QueueSpace, 'backend' | 'report'> & {
    readonly clock: Clock;
    readonly telemetry: Telemetry;
  };
  /** Runs at the end of the test, before the space is closed. */
  readonly atEnd: (close: () => Promise<unknown>) => void;
  /** Replaces the space by another empty one in the middle of a test. */
  readonly renewSpace: () => Promise<void>;
  /** A worker that is not started yet; stopped at the end of the test. */
  readonly cleanupWorker: (consumer: JobConsumer, settings?: Partial<WorkerSettings>) => QueueWorker;
  readonly startCleanupWorker: (consumer: JobConsumer, settings?: Partial<WorkerSettings>) => Promise<QueueWorker>;
  readonly startSweepWorker: (
    sweep: (signal: AbortSignal) => Promise<SweepReport>,
    sweeping: Sweeping,
  ) => Promise<QueueWorker>;
  /** Makes the store unavailable to all but the plain client. */
  readonly interrupt: (how: 'cut' | 'frozen') => Promise<void>;
  readonly restore: () => Promise<void>;
  /** Adds a cleanup as any client may; resolves to the job's id. */
  readonly add: (gameId: string, options?: object) => Promise<string>;
  /** The state of a cleanup; undefined when there is no such job. */
  readonly stateOf: (jobId: string) => Promise<string | undefined>;
  readonly completedCount: () => Promise<number>;
  /** Resolves when a cleanup worker of this process has written how the job ended, here for the `nth` time in this test. */
  readonly ended: (jobId: string, options?: { readonly nth?: number; readonly withinMs?: number }) => Promise<void>;
  /** Resolves when a cleanup worker of this process has written that the job is to run again. */
  readonly retried: (jobId: string, options?: { readonly nth?: number }) => Promise<void>;
  /** Resolves when sweep workers have written this many jobs as completed, or as failed, since the space was opened. */
  readonly sweepsEnded: (how: 'completed' | 'failed', count: number) => Promise<void>;
  readonly untilCompleted: (count: number, options?: { readonly withinMs: number }) => Promise<void>;
  readonly untilState: (jobId: string, state: string, options?: { readonly withinMs: number }) => Promise<void>;
}

/** Registers the hooks of the surrounding `describe`; the members can be used inside tests. */
export function useQueueWorld(kind: StoreKind, options: SpaceOptions = {}): QueueWorld {
  let store: TestStore;
  let space: QueueSpace;
  let steps: StepRecording;
  const closers: (() => Promise<unknown>)[] = [];
  const abandoned: string[] = [];
  const sweeps = { completed: 0, failed: 0, change: createChanges() };
  const openSpace = async (): Promise<void> => {
    space = await store.space(options);
    Object.assign(sweeps, { completed: 0, failed: 0 });
  };

  beforeAll(async () => {
    store = await startStore(kind);
  });
  afterAll(() => store.stop());
  beforeEach(async () => {
    await openSpace();
    steps = nextSteps();
    abandoned.length = 0;
  });
  const restore = async (): Promise<void> => {
    store.proxy.thaw();
    await store.proxy.restore();
  };
  afterEach(async () => {
    steps.stop();
    await restore();
    await Promise.all(closers.splice(0).map((close) => close()));
    await space.close();
  });

  const stoppedAtEnd = (worker: QueueWorker): QueueWorker => {
    closers.push(() => worker.stop({ graceMs: 0 }));
    return worker;
  };
  const started = async (worker: QueueWorker): Promise<QueueWorker> => {
    await stoppedAtEnd(worker).start();
    return worker;
  };
  const deps = () => ({
    backend: space.backend,
    clock: systemClock,
    report: space.report,
    telemetry: createQueueTelemetry(),
  });
  /** Counts the sweeps that end; BullMQ's worker emits these events once the store has the outcome. */
  const observed = (backend: QueueStore = space.backend): QueueStore => ({
    ...backend,
    worker: async (...args) => {
      const worker = await backend.worker(...args);
      for (const how of ['completed', 'failed'] as const) {
        worker.on(how, () => {
          sweeps[how] += 1;
          sweeps.change.notify();
        });
      }
      return worker;
    },
  });
  const newCleanupWorker = (consumer: JobConsumer, settings: Partial<WorkerSettings> = {}): QueueWorker =>
    createCleanupWorker(
      {
        ...deps(),
        consumer,
        abandoned: (delivery, reason) => {
          abandoned.push(`${delivery.jobId}: ${reason}`);
          return abandonedByQueue(delivery, reason);
        },
      },
      settings,
    );

  return {
    get store() {
      return store;
    },
    get space() {
      return space;
    },
    abandoned,
    deps,
    atEnd: (close) => void closers.push(close),
    renewSpace: async () => {
      await space.close();
      await openSpace();
    },
    cleanupWorker: (consumer, settings) => stoppedAtEnd(newCleanupWorker(consumer, settings)),
    startCleanupWorker: (consumer, settings) => started(newCleanupWorker(consumer, settings)),
    startSweepWorker: (sweep, { everyMs, ensureEveryMs, ...over }) =>
      started(
        createSweepWorker({ ...deps(), sweep, ...over, backend: observed(over.backend) }, { everyMs, ensureEveryMs }),
      ),
    interrupt: async (how) => {
      if (how === 'frozen') store.proxy.freeze();
      else await store.proxy.cut();
    },
    restore,
    add: async (gameId, options = {}) => (await space.plain.add(JOB, requestFor(gameId), options)).id ?? '',
    stateOf: async (jobId) => (await space.plain.getJob(jobId))?.getState(),
    completedCount: () => space.plain.getCompletedCount(),
    ended: async (jobId, { nth = 1, withinMs: timeoutMs = 10_000 } = {}) =>
      void (await steps.until({ ...jobSettled(jobId), nth }, { timeoutMs })),
    retried: async (jobId, { nth = 1 } = {}) => void (await steps.until({ ...jobSettled(jobId, 'retry'), nth })),
    sweepsEnded: (how, count) =>
      sweeps.change.until(() => {
        if (sweeps[how] < count) throw new RangeError(`${sweeps[how]} sweeps have ${how}, not ${count}`);
      }),
    untilCompleted: (count, options) =>
      space.untilQueue(async () => expect(await space.plain.getCompletedCount()).toBe(count), options),
    untilState: (jobId, state, options) =>
      space.untilQueue(async () => expect(await space.plain.getJobState(jobId)).toBe(state), options),
  };
}
