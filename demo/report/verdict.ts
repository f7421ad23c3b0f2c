/** Compares what was expected of a game with the facts. Pure, so that tests can show that it finds every difference. */
import type { Expected, JobOutcome, OperationOutcome, Scenario } from '../scenarios/scenario.js';

/** A row of `runtime_records`, as PostgreSQL converts it to JSON. */
export type RecordRow = Readonly<Record<string, unknown>>;

/** The facts of one game, read when all jobs had ended. */
export interface Facts {
  readonly gameId: string;
  /** The container's state as the engine names it, `gone`, or `no container` when none was created. */
  readonly engine: string;
  /** How many anonymous volumes of the container still exist. */
  readonly volumesLeft: number;
  /** The record before the worker read it, and in the end. */
  readonly recordBefore: RecordRow | null;
  readonly recordAfter: RecordRow | null;
  /** Codes of the operation log, oldest first; `success` for the empty one. */
  readonly operations: readonly string[];
  /** A `JobOutcome` for each job, or another state of the queue. */
  readonly jobs: readonly string[];
}

/** One row of the table. */
export interface Verdict {
  readonly scenario: string;
  readonly games: number;
  readonly expected: string;
  readonly engine: string;
  readonly database: string;
  readonly queue: string;
  /** Everything that is not as expected, one sentence each. */
  readonly differences: readonly string[];
}

export function judge(scenario: Scenario, facts: readonly Facts[]): Verdict {
  const { name, expected, games } = scenario;
  const wanted = typeof games === 'number' ? games : games.length;
  const missing = facts.length === wanted ? [] : [`${facts.length} of ${wanted} games were inspected`];
  return {
    scenario: name,
    games: facts.length,
    expected: expectedText(expected),
    engine: distinct(facts.map(engineText)),
    database: distinct(facts.map(databaseText)),
    queue: distinct(facts.map(({ jobs }) => listed(jobs))),
    differences: [
      ...missing,
      ...facts.flatMap((found) => differencesOf(expected, found).map((text) => `${shownGame(found.gameId)}: ${text}`)),
    ],
  };
}

function differencesOf(expected: Expected, found: Facts): readonly string[] {
  return [
    engineDifference(expected, found),
    volumeDifference(expected, found),
    recordDifference(expected, found),
    operationsDifference(expected, found),
    jobsDifference(expected, found),
  ].filter((difference) => difference !== undefined);
}

function engineDifference({ engine }: Expected, found: Facts): string | undefined {
  const asExpected = found.engine === engine || (engine === 'restarting' && found.engine === 'running');
  return asExpected ? undefined : `the container should be ${engine}, it is ${found.engine}`;
}

function volumeDifference({ engine }: Expected, { volumesLeft }: Facts): string | undefined {
  return engine === 'gone' && volumesLeft > 0 ? `${volumesLeft} of its volumes are left in the engine` : undefined;
}

/** The columns that a cleanup may change. A refused one may still increase the record's fence. */
const CHANGED_BY_REMOVAL = ['status', 'current_container_id', 'removed_at', 'last_op_at', 'lease_epoch'];
const CHANGED_BY_REFUSAL = ['lease_epoch'];

function recordDifference({ record }: Expected, { recordBefore, recordAfter }: Facts): string | undefined {
  if (record === 'absent') return recordAfter === null ? undefined : 'there should be no record, there is one';
  if (recordBefore === null || recordAfter === null) return 'the record is missing';
  const allowed = record === 'removed' ? CHANGED_BY_REMOVAL : CHANGED_BY_REFUSAL;
  const changed = Object.keys(recordBefore).filter(
    (column) => !allowed.includes(column) && recordBefore[column] !== recordAfter[column],
  );
  if (changed.length > 0) return `the record's columns ${changed.join(', ')} should not have changed`;
  if (record === 'unchanged') return undefined;
  const { status, current_container_id: containerId, removed_at: removedAt } = recordAfter;
  if (status !== 'removed') return `the record should be removed, it is ${text(status)}`;
  if (containerId !== null) return `the record should name no container, it names ${text(containerId)}`;
  return removedAt === null ? 'the record does not say when the container was removed' : undefined;
}

function operationsDifference(expected: Expected, { operations }: Facts): string | undefined {
  const isConflict = (outcome: string): boolean => outcome === 'conflict';
  const rest = (all: readonly string[]): readonly string[] => all.filter((outcome) => !isConflict(outcome));
  const asExpected = expected.moreConflicts
    ? same(rest(expected.operations), rest(operations)) &&
      operations.filter(isConflict).length >= expected.operations.filter(isConflict).length
    : same(expected.operations, operations);
  if (asExpected) return undefined;
  return `the operation log should say ${listed(expected.operations)}, it says ${listed(operations)}`;
}

function jobsDifference(expected: Expected, { jobs }: Facts): string | undefined {
  if (same(expected.jobs.toSorted(), jobs.toSorted())) return undefined;
  return `its jobs should be ${listed(expected.jobs)}, they are ${listed(jobs)}`;
}

const same = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((text, index) => text === other[index]);

/** `removed` or `stays exited; dead letter conflict`. */
function expectedText({ engine, record, jobs }: Expected): string {
  const end = expectedEnd(engine, record);
  if (jobs.length === 0) return `${end}; no job`;
  return same(jobs, [COMPLETED]) ? end : `${end}; ${listed(jobs)}`;
}

function expectedEnd(engine: Expected['engine'], record: Expected['record']): string {
  if (engine === 'gone') return 'removed';
  const container = engine === 'no container' ? engine : `stays ${engine}`;
  return record === 'removed' ? `${container}, record removed` : container;
}

function engineText({ engine, volumesLeft }: Facts): string {
  return volumesLeft === 0 ? engine : `${engine}, ${volumesLeft} volumes left`;
}

function databaseText({ recordAfter, operations }: Facts): string {
  const status = recordAfter === null ? 'no record' : text(recordAfter['status']);
  return `${status}; ${listed(operations)}`;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Repetitions are counted, as in `3 × conflict`. */
function listed(texts: readonly string[]): string {
  if (texts.length === 0) return 'nothing';
  const repeated: { readonly text: string; count: number }[] = [];
  for (const text of texts) {
    const last = repeated.at(-1);
    if (last?.text === text) last.count += 1;
    else repeated.push({ text, count: 1 });
  }
  return repeated.map(({ text, count }) => (count === 1 ? text : `${count} × ${text}`)).join(', ');
}

/** A text that several games have in common stands there once. */
function distinct(texts: readonly string[]): string {
  return [...new Set(texts)].join(' | ');
}

function shownGame(gameId: string): string {
  const id = gameId.length > 40 ? `${gameId.slice(0, 40)}…` : gameId;
  return `game ${JSON.stringify(id)}`;
}

const COMPLETED: JobOutcome = 'completed';

/** A job's state and code as a `JobOutcome`; the code is undefined when the job has none. */
export function jobOutcome(state: string, code: string | undefined): string {
  if (state === 'completed') return code === '' ? COMPLETED : `${COMPLETED} ${code ?? 'without a result'}`;
  return state === 'failed' ? `dead letter ${code ?? 'without a code'}` : state;
}

/** An operation's code as an `OperationOutcome`. */
export function operationOutcome(code: string): string {
  const success: OperationOutcome = 'success';
  return code === '' ? success : code;
}
