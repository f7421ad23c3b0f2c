/** Short names for the table of scenarios: the usual containers, records, requests and expected results. */
import type { FailureCode } from '../../src/domain/error-codes.js';
import type { OpSource } from '../../src/domain/operation.js';
import type {
  ContainerPlan,
  ContainerState,
  Expected,
  KnownGame,
  RecordPlan,
  RequestPlan,
  Scenario,
} from './scenario.js';

/** How often a job of the demo may end in `conflict`: the fewest attempts whose retries outlast its short lease. */
export const CONFLICT_MAX_ATTEMPTS = 4;
/** How long a stopped container is kept before a sweep may request its removal. */
export const RETENTION_DAYS = 30;

const EXITED: ContainerPlan = { state: 'exited', label: 'own', volume: false, restarts: false, idReusedAsName: false };
const STOPPED: RecordPlan = { status: 'stopped', container: 'full id', stoppedDaysAgo: 1, held: 'no' };

export const container = (over: Partial<ContainerPlan>): ContainerPlan => ({ ...EXITED, ...over });
export const record = (over: Partial<RecordPlan>): RecordPlan => ({ ...STOPPED, ...over });
export const dueRecord = (over: Partial<RecordPlan> = {}): RecordPlan =>
  record({ stoppedDaysAgo: RETENTION_DAYS + 10, ...over });

/** A job that is added by plain BullMQ, with any data. */
export const job = (data: (game: KnownGame) => unknown, jobName = 'cleanup_container'): RequestPlan => ({
  by: 'bullmq',
  jobName,
  data,
});
/** The data of a request, with the additional fields of `more`. */
export const data =
  (opSource: string, more: object = {}) =>
  ({ gameId }: KnownGame): unknown => ({ gameId, opSource, ...more });
export const requestBy = (source: OpSource): RequestPlan => job(data(source));
export const commandLine: RequestPlan = { by: 'cli', source: 'operator_cli' };
export const sweeping: RequestPlan = { by: 'sweep' };
export const http: RequestPlan = { by: 'http' };

export const REMOVED: Expected = {
  engine: 'gone',
  record: 'removed',
  operations: ['success'],
  moreConflicts: false,
  jobs: ['completed'],
};

/** Two jobs of one game: one does the work, the other finds it done. Which of them comes first depends on timing. */
export const REMOVED_ONCE: Expected = {
  ...REMOVED,
  operations: ['success', 'replay_no_op'],
  moreConflicts: true,
  jobs: ['completed', 'completed replay_no_op'],
};

/** Refused at once; the job becomes a dead letter without a retry. */
export const refused = (engine: Expected['engine'], code: FailureCode): Expected => ({
  engine,
  record: 'unchanged',
  operations: [code],
  moreConflicts: false,
  jobs: [`dead letter ${code}`],
});

/** The same for a game without a record. */
export const refusedUnknown = (code: FailureCode): Expected => ({ ...refused('no container', code), record: 'absent' });

/** Refused because of the container's state, retried, and a dead letter after the last attempt. */
export const retriesExhausted = (engine: ContainerState): Expected => ({
  ...refused(engine, 'conflict'),
  operations: Array.from({ length: CONFLICT_MAX_ATTEMPTS }, () => 'conflict' as const),
});

/** A refusal that completes a retention job: no dead letter, because the next sweep requests it again. */
export const refusalCompleted = (expected: Expected, code: 'conflict' | 'not_found'): Expected => ({
  ...expected,
  jobs: [`completed ${code}`],
});

/** A sweep runs and does not request this game. */
export const notRequested = (engine: ContainerState): Expected => ({
  engine,
  record: 'unchanged',
  operations: [],
  moreConflicts: false,
  jobs: [],
});

/** Refused without a retry, then removed by the same job when it is replayed. */
export const refusedThenRemoved = (code: FailureCode): Expected => ({ ...REMOVED, operations: [code, 'success'] });

/** One stopped game with an exited container, which will be removed, changed by `over`. */
export const scenario = (
  name: string,
  requests: readonly RequestPlan[],
  over: Partial<Omit<Scenario, 'name' | 'requests'>> = {},
): Scenario => ({
  name,
  requests,
  games: 1,
  container: EXITED,
  record: STOPPED,
  event: 'nothing',
  expected: REMOVED,
  ...over,
});
