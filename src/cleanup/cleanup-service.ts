/**
 * One cleanup, in order: validate, take the game's lease, load the record under it, decide, look at the container,
 * check that the lease is still held, remove, change the record and log it in one transaction, release.
 *
 * A container is removed only on fresh facts, and only while the lease may still be trusted.
 */
import type { Clock } from '../async/clock.js';
import { ConfigurationError, messageOf, requireFunctions, UnavailableError } from '../domain/errors.js';
import type { FailureCode } from '../domain/error-codes.js';
import type { CleanupCommand } from '../domain/operation.js';
import { type Failure, failure, type Result } from '../domain/result.js';
import type { RuntimeRecord } from '../domain/runtime-record.js';
import type { Lease, LeaseEnding, Leases } from '../lease/with-lease.js';
import { decideByContainer, decideByRecord } from './decide.js';
import { createOperations, type Operation } from './operation-recorder.js';
import type {
  CleanupObserver,
  ContainerEngine,
  ContainerState,
  MarkRemovedAnswer,
  OperationLog,
  RuntimeRecords,
  TakenRecord,
} from './ports.js';
import { type CleanupRequest, validate } from './validate.js';

export interface CleanupDeps {
  readonly leases: Leases;
  readonly records: RuntimeRecords;
  readonly log: OperationLog;
  readonly engine: ContainerEngine;
  readonly observer: CleanupObserver;
  readonly clock: Clock;
}

export interface CleanupSettings {
  /** How long `auto_ttl` leaves a stopped container alone, in milliseconds. */
  readonly retentionMs: number;
}

export interface CleanupService {
  /**
   * Cleans up one game's container. Every ending is a `Result`; rejects only with the signal's reason when it is aborted
   * (shutdown, job lock lost): that is neither success nor failure, and nothing is logged.
   */
  readonly handle: (command: CleanupCommand, signal: AbortSignal) => Promise<Result>;
  /** Refuses a command that cannot be handled at all; like every refusal it leaves a row in the operation log. */
  readonly refuse: (command: CleanupCommand, code: FailureCode, message: string) => Promise<Failure>;
}

/** What the steps under the lease work with. */
interface UnderLease {
  readonly taken: TakenRecord;
  readonly operation: Operation;
  readonly lease: Lease;
}

/** Throws `ConfigurationError` for a missing collaborator and for a retention that is no time. */
export function createCleanupService(deps: CleanupDeps, settings: CleanupSettings): CleanupService {
  requireComplete(deps, settings);
  const { leases, records, engine } = deps;
  const operations = createOperations(deps);

  async function handle(command: CleanupCommand, signal: AbortSignal): Promise<Result> {
    signal.throwIfAborted();
    const operation = operations.begin(command);
    const checked = validate(command);
    if (!checked.valid) return operation.conclude(failure('invalid_request', checked.problem));
    const { request } = checked;
    try {
      const ending = await leases.withLease(request.gameId, signal, (lease) => underLease(request, operation, lease));
      return await operation.conclude(resultOf(ending, operation));
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      return operation.conclude(faultOf(thrown), thrown);
    }
  }

  async function underLease(request: CleanupRequest, operation: Operation, lease: Lease): Promise<Result> {
    const taken = await records.take(request.gameId);
    if (taken === undefined) return failure('not_found', 'there is no runtime record of this game');
    operation.saw(taken.record);
    const decision = decideByRecord(request, taken, settings.retentionMs);
    switch (decision.action) {
      case 'refuse':
        return failure(decision.code, decision.message);
      case 'replay':
        return replay(taken.record);
      case 'mark_removed':
        return markRemoved({ taken, operation, lease });
      case 'look':
        return removeContainer(decision.containerId, { taken, operation, lease });
    }
  }

  async function removeContainer(containerId: string, { taken, operation, lease }: UnderLease): Promise<Result> {
    const decision = decideByContainer(taken.record.gameId, await engine.look(containerId, lease.signal));
    if (decision.action === 'refuse') return failure(decision.code, decision.message);
    if (decision.action === 'remove') {
      lease.assertHeld();
      const removal = engine.remove(containerId, lease.signal);
      operation.removalIsSent();
      const answer = await removal;
      if (answer.kind === 'still_there') return notRemoved(taken.record.gameId, answer.state, answer.detail);
    }
    operation.containerIsGone();
    return markRemoved({ taken, operation, lease });
  }

  async function markRemoved({ taken, operation, lease }: UnderLease): Promise<Result> {
    lease.assertHeld();
    const answer = await records.markRemoved(taken.record, operation.successEntry());
    if (answer.status === 'marked') operation.isLogged();
    return resultOfMarking(taken.record, answer);
  }

  return {
    handle,
    refuse: (command, code, message) => operations.begin(command).conclude(failure(code, message)),
  };
}

function replay(record: RuntimeRecord): Result {
  return { outcome: 'success', errorCode: 'replay_no_op', errorMessage: 'the container was removed before', record };
}

/** The engine refused, or its answer was lost: the fresh look decides, never the text of the refusal. */
function notRemoved(gameId: string, found: ContainerState, detail: string): Result {
  const decision = decideByContainer(gameId, found);
  if (decision.action === 'refuse') return failure(decision.code, decision.message);
  return failure('service_unavailable', `the engine did not remove the container: ${detail}`);
}

function resultOfMarking(taken: RuntimeRecord, answer: MarkRemovedAnswer): Result {
  switch (answer.status) {
    case 'marked':
      return { outcome: 'success', errorCode: '', errorMessage: '', record: answer.record };
    case 'already_removed':
      return replay(answer.record);
    case 'vanished':
      return failure('not_found', 'the runtime record vanished while its container was cleaned up');
    case 'changed':
      return failure('conflict', whatChanged(taken, answer.record));
  }
}

function resultOf(ending: LeaseEnding<Result>, operation: Operation): Result {
  switch (ending.status) {
    case 'done':
      return ending.value;
    case 'busy':
      return failure('conflict', 'another operation holds the lease of this game');
    case 'unavailable':
      return failure('service_unavailable', `the lease could not be acquired: ${messageOf(ending.cause)}`);
    case 'lost':
      return failure('lease_lost', `${ending.reason}${operation.whereItStopped()}`);
  }
}

function faultOf(thrown: unknown): Result {
  if (thrown instanceof UnavailableError) return failure('service_unavailable', thrown.message);
  return failure('internal_error', messageOf(thrown));
}

function whatChanged(taken: RuntimeRecord, found: RuntimeRecord): string {
  if (found.status !== taken.status) return `the record became ${JSON.stringify(found.status)} during the cleanup`;
  if (found.currentContainerId !== taken.currentContainerId) return 'the record names another container by now';
  return 'another holder of the lease has taken the record since';
}

function requireComplete(deps: CleanupDeps, { retentionMs }: CleanupSettings): void {
  requireFunctions('the cleanup service', {
    'leases.withLease': deps.leases?.withLease,
    'records.take': deps.records?.take,
    'records.markRemoved': deps.records?.markRemoved,
    'log.append': deps.log?.append,
    'engine.look': deps.engine?.look,
    'engine.remove': deps.engine?.remove,
    'observer.concluded': deps.observer?.concluded,
    'observer.auditRowLost': deps.observer?.auditRowLost,
    'clock.monotonicMs': deps.clock?.monotonicMs,
  });
  if (!Number.isFinite(retentionMs) || retentionMs < 0) {
    throw new ConfigurationError(`retentionMs is ${retentionMs}; a number of milliseconds, 0 or more, is needed`);
  }
}
