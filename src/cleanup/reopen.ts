/**
 * Undoes a cleanup that found the container already gone, although the container exists: the record is `stopped` again
 * and names its container, so that its next cleanup removes it.
 *
 * One reopening, in order: validate, take the game's lease, read the record and the row of its newest cleanup, decide,
 * look at the container on the engine of that row, purge the game's dead letters, check that the lease is still held,
 * change the record and log it in one statement, release.
 */
import type { Clock } from '../async/clock.js';
import {
  GAME_ID_MAX_CHARACTERS,
  gameIdProblem,
  type OperationEntry,
  type OpSource,
  REOPEN_OP_KIND,
} from '../domain/operation.js';
import { failure, type Result } from '../domain/result.js';
import { DEFAULT_ENGINE, type RuntimeRecord } from '../domain/runtime-record.js';
import { storable } from '../domain/text.js';
import type { Lease, Leases } from '../lease/with-lease.js';
import { type CleanupRow, decideByLook, decideByRow } from './decide-reopen.js';
import { faultOf, unknownEngine, withoutLease } from './endings.js';
import type { Engines, EngineTurn, OperationLog } from './ports.js';

export interface ReopenCommand {
  readonly gameId: string;
  readonly opSource: Extract<OpSource, 'operator_cli' | 'admin_rest'>;
  /** The caller's own reference, or the empty string. */
  readonly sourceRef: string;
  /** Who asks for it. */
  readonly actor: string;
}

/** A record with what may put it back. */
export interface RemovedRecord {
  readonly record: RuntimeRecord;
  /** `removed_at` as the database writes it: it knows instants that a `Date` does not. */
  readonly removedAt: string | null;
  /** Null: no cleanup of the game has succeeded, or the log was pruned. */
  readonly row: CleanupRow | null;
}

/** The container that a record names again, and its engine; null: the default engine. */
export interface ReopenedAs {
  readonly containerId: string;
  readonly dockerHost: string | null;
}

export type ReopenAnswer =
  | { readonly status: 'reopened'; readonly record: RuntimeRecord }
  /** The record is no longer what was read. */
  | { readonly status: 'changed' }
  | { readonly status: 'vanished' };

/** The records, for reopening. Members reject with `UnavailableError` when the database cannot answer. */
export interface ReopenRecords {
  /** Undefined: there is no record of this game. */
  readonly find: (gameId: string) => Promise<RemovedRecord | undefined>;
  /**
   * Compare-and-set `removed -> stopped` against the record that was read (status, fence, time of removal) and, in the
   * same statement, appends `entry`. Bumps the fence. Nothing is appended unless the answer is `reopened`.
   */
  readonly reopen: (read: RemovedRecord, as: ReopenedAs, entry: OperationEntry) => Promise<ReopenAnswer>;
}

/** Is called with what happened; must not throw. */
export interface ReopenObserver {
  readonly reopenConcluded: (entry: OperationEntry, cause?: unknown) => void;
  /** The row of a failure could not be written; the outcome stands. */
  readonly auditRowLost: (entry: OperationEntry, cause: unknown) => void;
}

export interface ReopenDeps {
  readonly leases: Leases;
  readonly records: ReopenRecords;
  readonly log: OperationLog;
  readonly engines: Engines;
  /**
   * Removes the game's dead letters and resolves to how many there were: a sweep does not enqueue a game that has one.
   * Rejects with `UnavailableError` in an outage of the queue.
   */
  readonly purgeDeadLetters: (gameId: string, signal: AbortSignal) => Promise<number>;
  readonly observer: ReopenObserver;
  readonly clock: Clock;
}

/**
 * Every ending is a `Result`, with its row in the operation log. Rejects only with the signal's reason when it is
 * aborted; then nothing is logged.
 */
export type Reopen = (command: ReopenCommand, signal: AbortSignal) => Promise<Result>;

export function createReopen(deps: ReopenDeps): Reopen {
  return async (command, signal) => {
    signal.throwIfAborted();
    const trimmed = { ...command, gameId: command.gameId.trim() };
    const reopening = begin(deps, trimmed);
    const problem = gameIdProblem(trimmed.gameId);
    if (problem !== undefined) return reopening.conclude(failure('invalid_request', problem));
    try {
      const ending = await deps.leases.withLease(trimmed.gameId, signal, (lease) => underLease(deps, reopening, lease));
      return await reopening.conclude(ending.status === 'done' ? ending.value : withoutLease(ending));
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      return reopening.conclude(faultOf(thrown), thrown);
    }
  };
}

async function underLease(deps: ReopenDeps, reopening: Reopening, lease: Lease): Promise<Result> {
  const read = await deps.records.find(reopening.gameId);
  if (read === undefined) return failure('not_found', 'there is no runtime record of this game');
  reopening.saw(read);
  const decision = decideByRow(read.record, read.row);
  if (decision.action === 'refuse') return failure(decision.code, decision.message);
  const { engine, containerId } = decision;
  const turn = await deps.engines.take(engine, lease.signal);
  if (turn === undefined) return unknownEngine(engine);
  if (turn.outcome === 'held') return failure(turn.errorCode, turn.errorMessage);
  reopening.uses(engine);
  try {
    return await putBack(deps, reopening, { lease, read, engine, containerId, turn });
  } finally {
    turn.release();
  }
}

interface AtEngine {
  readonly lease: Lease;
  readonly read: RemovedRecord;
  readonly containerId: string;
  readonly engine: string;
  readonly turn: EngineTurn;
}

async function putBack(deps: ReopenDeps, reopening: Reopening, scene: AtEngine): Promise<Result> {
  const { gameId } = reopening;
  const { lease, read, engine, containerId, turn } = scene;
  const found = await turn.engine.look(containerId, lease.signal);
  // From now on the newest look no longer says that the container is gone, nor that an operator has accepted it.
  if (found.kind === 'present') await turn.evidence.foundPresent({ containerId, gameId, jobId: '' });
  const decision = decideByLook(gameId, engine, found);
  if (decision.action === 'refuse') return failure(decision.code, decision.message);
  const purged = await deps.purgeDeadLetters(gameId, lease.signal);
  const remark = purged === 0 ? '' : `${purged} dead letters of the game were purged`;
  const as = { containerId, dockerHost: engine === DEFAULT_ENGINE ? null : engine };
  const entry = reopening.successEntry(remark);
  lease.assertHeld();
  const answer = await deps.records.reopen(read, as, entry);
  if (answer.status === 'vanished') return failure('not_found', 'the runtime record vanished meanwhile');
  if (answer.status === 'changed') return failure('conflict', 'the record was changed meanwhile');
  reopening.isLogged();
  return { outcome: 'success', errorCode: '', errorMessage: remark, record: answer.record, removal: '' };
}

/** One reopening: what is known of it so far, and its one row in the operation log. */
interface Reopening {
  readonly gameId: string;
  /** Remembers the record and its row, so that the own row names image and container. */
  readonly saw: (read: RemovedRecord) => void;
  /** The engine of this name is asked. */
  readonly uses: (engine: string) => void;
  /** The row for a success, to be appended together with the change of the record. */
  readonly successEntry: (remark: string) => OperationEntry;
  /** The success row has been appended by that statement. */
  readonly isLogged: () => void;
  /** Appends the row unless that is done. A row that cannot be written is reported, and does not change the outcome. */
  readonly conclude: (result: Result, cause?: unknown) => Promise<Result>;
}

function begin({ log, observer, clock }: ReopenDeps, command: ReopenCommand): Reopening {
  const startedMs = clock.monotonicMs();
  const known = { imageRef: '', containerId: '', engine: '' };
  let logged = false;

  const entryOf = (ending: Pick<Result, 'outcome' | 'errorCode' | 'errorMessage'>): OperationEntry => ({
    gameId: storable(command.gameId, 2 * GAME_ID_MAX_CHARACTERS),
    opKind: REOPEN_OP_KIND,
    opSource: command.opSource,
    sourceRef: storable(command.sourceRef, 2 * GAME_ID_MAX_CHARACTERS),
    ...known,
    outcome: ending.outcome,
    errorCode: ending.errorCode,
    errorMessage: storable(ending.errorMessage),
    elapsedMs: Math.round(clock.monotonicMs() - startedMs),
    jobId: '',
    attempt: 0,
    removal: '',
    actor: storable(command.actor, 256),
  });

  return {
    gameId: command.gameId,
    saw: ({ record, row }) => {
      known.imageRef = record.currentImageRef ?? '';
      known.containerId = row?.containerId ?? '';
    },
    uses: (engine) => {
      known.engine = storable(engine, 256);
    },
    successEntry: (remark) => entryOf({ outcome: 'success', errorCode: '', errorMessage: remark }),
    isLogged: () => {
      logged = true;
    },
    conclude: async (result, cause) => {
      const entry = entryOf(result);
      if (!logged) await log.append(entry).catch((error: unknown) => observer.auditRowLost(entry, error));
      observer.reopenConcluded(entry, cause);
      return result;
    },
  };
}
