/** The vocabulary of the table in scenarios.ts: usual containers, records, requests and endings, by short names. */
import type { FailureCode } from '../src/domain/error-codes.js';
import type { OpSource } from '../src/domain/operation.js';
import type {
  ContainerPlan,
  ContainerState,
  Expected,
  KnownGame,
  RecordPlan,
  RequestPlan,
  Scenario,
} from './scenario.js';

/** Attempts of a job of the demonstration that may end in `conflict`: the fewest whose retries outlast its short lease. */
export const CONFLICT_MAX_ATTEMPTS = 4;
/** How long a stopped container is kept before a sweep may ask for it. */
export const RETENTION_DAYS = 30;

const EXITED: ContainerPlan = { state: 'exited', label: 'own', volume: false, restarts: false, impostor: false };
const STOPPED: RecordPlan = { status: 'stopped', container: 'full id', stoppedDaysAgo: 1, held: 'no' };

export const container = (over: Partial<ContainerPlan>): ContainerPlan => ({ ...EXITED, ...over });
export const record = (over: Partial<RecordPlan>): RecordPlan => ({ ...STOPPED, ...over });
export const dueRecord = (over: Partial<RecordPlan> = {}): RecordPlan =>
  record({ stoppedDaysAgo: RETENTION_DAYS + 10, ...over });

/** A job added by plain BullMQ, whatever its data. */
export const job = (data: (game: KnownGame) => unknown, jobName = 'cleanup_container'): RequestPlan => ({
  by: 'bullmq',
  jobName,
  data,
});
/** The data of a request, with whatever else somebody put into it. */
export const data =
  (opSource: string, more: object = {}) =>
  ({ gameId }: KnownGame): unknown => ({ gameId, opSource, ...more });
export const asks = (source: OpSource): RequestPlan => job(data(source));
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

/** Two jobs of one game: one does the work, the other finds it done; which waits for which is chance. */
export const REMOVED_ONCE: Expected = {
  ...REMOVED,
  operations: ['success', 'replay_no_op'],
  moreConflicts: true,
  jobs: ['completed', 'completed replay_no_op'],
};

/** Refused at once, and for good. */
export const refused = (engine: Expected['engine'], code: FailureCode): Expected => ({
  engine,
  record: 'unchanged',
  operations: [code],
  moreConflicts: false,
  jobs: [`dead letter ${code}`],
});

/** The same where there is no record. */
export const refusedUnknown = (code: FailureCode): Expected => ({ ...refused('no container', code), record: 'absent' });

/** Refused by the facts of the moment, asked again, and given up in the end. */
export const givenUp = (engine: ContainerState): Expected => ({
  ...refused(engine, 'conflict'),
  operations: Array.from({ length: CONFLICT_MAX_ATTEMPTS }, () => 'conflict' as const),
});

/** A refusal that ends a sweep's job in peace: the next sweep asks again. */
export const absorbed = (expected: Expected, code: 'conflict' | 'not_found'): Expected => ({
  ...expected,
  jobs: [`completed ${code}`],
});

/** A sweep comes by and does not ask for it. */
export const notAskedFor = (engine: ContainerState): Expected => ({
  engine,
  record: 'unchanged',
  operations: [],
  moreConflicts: false,
  jobs: [],
});

/** Refused for good, and after all removed by the same job. */
export const refusedThenRemoved = (code: FailureCode): Expected => ({ ...REMOVED, operations: [code, 'success'] });

/** One stopped game whose container is due to go, but for what `over` says. */
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
