import type { Clock } from '../../../src/async/clock.js';
import type { LoggedOperation } from '../../../src/domain/record-queries.js';
import type { OperationEntry } from '../../../src/domain/operation.js';
import type { RuntimeRecord } from '../../../src/domain/runtime-record.js';
import { readHistory } from '../../../src/jobs/attempt-history.js';
import { type AttemptHistory, EMPTY_HISTORY } from '../../../src/jobs/delivery.js';
import type { JobResult, JobState } from '../../../src/jobs/ports.js';
import type { Hold } from '../../../src/retention/holds.js';
import type { ScheduleStatus, SweepReport } from '../../../src/retention/ports.js';
import type { FailedJobSeed } from '../queue/failed-jobs.js';

export interface FakeJob {
  readonly jobId: string;
  readonly name: string;
  readonly data: unknown;
  /** Live jobs with the same key are one job; null: the job was added without one. */
  readonly key: string | null;
  readonly enqueuedAt: Date;
  readonly state: JobState;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly nextTryAt: Date | null;
  /** Runs begun since the job was added or last replayed. */
  readonly tries: number;
  readonly history: AttemptHistory;
  readonly ending: JobResult | null;
}

/** A sweep's job either completed with its report or failed for good. */
type SweepEnd =
  | { readonly status: 'completed'; readonly report: SweepReport }
  | ({ readonly status: 'failed' } & NonNullable<ScheduleStatus['lastFailure']>);

/** What all fakes of one platform share. Tests may write to it directly; jobs are changed through `setJob`. */
export interface PlatformState {
  readonly clock: Clock;
  readonly records: Map<string, RuntimeRecord>;
  readonly holds: Map<string, Hold>;
  /** The operation log, oldest first. */
  readonly operations: LoggedOperation[];
  /** In the order in which they were added. */
  readonly jobs: Map<string, FakeJob>;
  readonly setJob: (job: FakeJob) => void;
  readonly removeJob: (jobId: string) => void;
  /** Called after every change of a job; returns the function that ends the subscription. */
  readonly onJobChange: (listener: () => void) => () => void;
  /** Null: there is no schedule of sweeps. */
  schedule: { readonly everyMs: number; readonly next: Date } | null;
  /** The sweeps that ended, oldest first. */
  readonly sweeps: SweepEnd[];
}

/** @param clock the clock of all stores */
export function createPlatformState(clock: Clock): PlatformState {
  const listeners = new Set<() => void>();
  const jobs = new Map<string, FakeJob>();
  const changed = (): void => {
    for (const listener of listeners) listener();
  };
  return {
    clock,
    records: new Map(),
    holds: new Map(),
    operations: [],
    jobs,
    setJob: (job) => {
      jobs.set(job.jobId, job);
      changed();
    },
    removeJob: (jobId) => {
      jobs.delete(jobId);
      changed();
    },
    onJobChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    schedule: null,
    sweeps: [],
  };
}

/** Adds a waiting job with a new id, or with what `over` says. */
export function addFakeJob(state: PlatformState, data: unknown, over: Partial<FakeJob> = {}): FakeJob {
  let number = state.jobs.size + 1;
  while (state.jobs.has(String(number))) number += 1;
  const job: FakeJob = {
    jobId: String(number),
    name: 'cleanup_container',
    data,
    key: null,
    enqueuedAt: state.clock.now(),
    state: 'waiting',
    startedAt: null,
    finishedAt: null,
    nextTryAt: null,
    tries: 0,
    history: EMPTY_HISTORY,
    ending: null,
    ...over,
  };
  state.setJob(job);
  return job;
}

/** Adds a job that has failed with this reason and any content. */
export function addFailedFakeJob(
  state: PlatformState,
  { data, jobId, reason, progress, failedAtMs }: FailedJobSeed,
): FakeJob {
  const added = addFakeJob(state, data, jobId === undefined ? {} : { jobId });
  const failed: FakeJob = {
    ...added,
    state: 'failed',
    finishedAt: failedAtMs === undefined ? state.clock.now() : new Date(failedAtMs),
    history: readHistory(progress),
    ending: { jobId: added.jobId, state: 'failed', reason: reason ?? 'not_found: no record' },
  };
  state.setJob(failed);
  return failed;
}

type JobEnd = JobResult extends infer Ended ? (Ended extends JobResult ? Omit<Ended, 'jobId'> : never) : never;

/** Every job that is added from now on ends at once as `endOf` says of it; undefined: it stays as it is. */
export function endFakeJobs(state: PlatformState, endOf: (job: FakeJob) => JobEnd | undefined): void {
  state.onJobChange(() => {
    const waiting = [...state.jobs.values()].filter((job) => job.state === 'waiting');
    for (const job of waiting) {
      const end = endOf(job);
      if (end?.state === 'missing') state.removeJob(job.jobId);
      else if (end !== undefined) {
        const ending = { ...end, jobId: job.jobId };
        state.setJob({ ...job, state: end.state, finishedAt: state.clock.now(), ending });
      }
    }
  });
}

/** Appends a row to the operation log. */
export function logOperation({ operations, clock }: PlatformState, { elapsedMs, ...entry }: OperationEntry): void {
  const finishedAt = clock.now();
  const startedAt = new Date(finishedAt.getTime() - elapsedMs);
  operations.push({ ...entry, id: String(operations.length + 1), startedAt, finishedAt });
}

export const isLive = ({ state }: FakeJob): boolean => state === 'waiting' || state === 'delayed' || state === 'active';

/** A text of the job's data, or the empty string. */
export function jobText({ data }: FakeJob, name: 'gameId' | 'opSource' | 'sourceRef'): string {
  if (typeof data !== 'object' || data === null) return '';
  const value: unknown = Reflect.get(data, name);
  return typeof value === 'string' ? value : '';
}
