/**
 * One cleanup, in order: validate, take the game's lease, load the record under it, decide, look at the container,
 * check that the lease is still held, remove, change the record and log it in one transaction, release.
 *
 * A container is removed only on fresh facts, from the engine that owns it, and only while the lease may still be trusted.
 */
import type { Clock } from '../async/clock.js';
import { ConfigurationError, requireFunctions } from '../domain/errors.js';
import type { FailureCode } from '../domain/error-codes.js';
import type { CleanupCommand, Removal } from '../domain/operation.js';
import { type Failure, failure, type Result } from '../domain/result.js';
import { engineOf, type RuntimeRecord } from '../domain/runtime-record.js';
import type { Lease, Leases } from '../lease/with-lease.js';
import { decideByContainer, decideByLabel, decideByRecord } from './decide.js';
import { faultOf, unknownEngine, withoutLease } from './endings.js';
import { createOperations, type Operation } from './operation-recorder.js';
import type {
  CleanupObserver,
  Engines,
  EngineTurn,
  Held,
  MarkRemovedAnswer,
  PresentContainer,
  OperationLog,
  RuntimeRecords,
  TakenRecord,
} from './ports.js';
import { type CleanupRequest, validate } from './validate.js';

export interface CleanupDeps {
  readonly leases: Leases;
  readonly records: RuntimeRecords;
  readonly log: OperationLog;
  readonly engines: Engines;
  readonly observer: CleanupObserver;
  readonly clock: Clock;
}

export interface CleanupSettings {
  /** How long `auto_ttl` leaves a stopped container alone, in milliseconds. */
  readonly retentionMs: number;
}

export interface CleanupService {
  /**
   * Cleans up one game's container. Every ending is a `Result`, with its row in the operation log. `Held`: the engine
   * cannot be used now, nothing was changed or logged, and the caller is to ask again. Rejects only with the signal's
   * reason when it is aborted (shutdown, job lock lost): that is neither success nor failure, and nothing is logged.
   */
  readonly handle: (command: CleanupCommand, signal: AbortSignal) => Promise<Result | Held>;
  /** Refuses a command that cannot be handled at all; like every refusal it leaves a row in the operation log. */
  readonly refuse: (command: CleanupCommand, code: FailureCode, message: string) => Promise<Failure>;
}

/** What the steps under the lease work with. */
interface UnderLease {
  readonly taken: TakenRecord;
  readonly operation: Operation;
  readonly lease: Lease;
  readonly records: Pick<RuntimeRecords, 'markRemoved'>;
}

/** What the steps at the engine work with. */
interface AtEngine extends UnderLease {
  readonly turn: EngineTurn;
}

/** Throws `ConfigurationError` for a missing collaborator and for a retention that is no time. */
export function createCleanupService(deps: CleanupDeps, settings: CleanupSettings): CleanupService {
  requireComplete(deps, settings);
  const { leases, records, engines } = deps;
  const operations = createOperations(deps);

  async function handle(command: CleanupCommand, signal: AbortSignal): Promise<Result | Held> {
    signal.throwIfAborted();
    const operation = operations.begin(command);
    const checked = validate(command);
    if (!checked.valid) return operation.conclude(failure('invalid_request', checked.problem));
    const { request } = checked;
    try {
      const ending = await leases.withLease(request.gameId, signal, (lease) => underLease(request, operation, lease));
      const result = ending.status === 'done' ? ending.value : withoutLease(ending, operation.whereItStopped());
      return result.outcome === 'held' ? result : await operation.conclude(result);
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      return operation.conclude(faultOf(thrown), thrown);
    }
  }

  async function underLease(request: CleanupRequest, operation: Operation, lease: Lease): Promise<Result | Held> {
    const taken = await records.take(request.gameId);
    if (taken === undefined) return failure('not_found', 'there is no runtime record of this game');
    operation.saw(taken.record);
    const scene: UnderLease = { taken, operation, lease, records };
    const decision = decideByRecord(request, taken, settings.retentionMs);
    switch (decision.action) {
      case 'refuse':
        return failure(decision.code, decision.message);
      case 'replay':
        return replay(taken.record);
      case 'look_before_replay':
        return atEngine(scene, (there) => replayAfterLook(decision.containerId, there));
      case 'look_by_label':
        return atEngine(scene, markWithoutContainer);
      case 'look':
        return atEngine(scene, (there) => removeContainer(decision.containerId, there));
    }
  }

  /** Runs `work` with the engine that the record names. */
  async function atEngine(scene: UnderLease, work: (scene: AtEngine) => Promise<Result>): Promise<Result | Held> {
    const name = engineOf(scene.taken.record);
    scene.operation.uses(name);
    const turn = await engines.take(name, scene.lease.signal);
    if (turn === undefined) return unknownEngine(name);
    if (turn.outcome === 'held') return turn;
    try {
      return await work({ ...scene, turn });
    } finally {
      turn.release();
    }
  }

  return {
    handle,
    refuse: (command, code, message) => operations.begin(command).conclude(failure(code, message)),
  };
}

async function removeContainer(containerId: string, scene: AtEngine): Promise<Result> {
  const { taken, operation, lease, turn } = scene;
  const { engine, evidence } = turn;
  const found = await engine.look(containerId, lease.signal);
  if (found.kind === 'gone') return markIfGone(containerId, scene);
  const decision = decideByContainer(taken.record.gameId, found);
  if (decision.action === 'refuse') {
    await evidence.foundPresent(operation.subjectOf(containerId));
    return failure(decision.code, decision.message);
  }
  await evidence.removalIsNext(operation.subjectOf(containerId));
  lease.assertHeld();
  const removal = engine.remove(containerId, lease.signal);
  operation.removalIsSent();
  const answer = await removal;
  if (answer.kind === 'still_there') return notRemoved(taken.record.gameId, answer.state, answer.detail);
  if (!answer.ours) return markIfGone(containerId, scene);
  operation.containerIsGone();
  return markRemoved('removed', scene);
}

/** "No such container" counts from the engine that owned the container, and from no other. */
async function markIfGone(containerId: string, scene: AtEngine): Promise<Result> {
  const { operation, lease, turn } = scene;
  const subject = { ...operation.subjectOf(containerId), removalSent: operation.hasSentRemoval() };
  const belief = await turn.evidence.judgeGone(subject, lease.signal);
  if (!belief.believed) return failure('engine_mismatch', belief.why);
  operation.containerIsGone();
  return markRemoved(belief.removal, scene);
}

/** A label is no proof of identity, so a container that is found by it is named and left alone. */
async function markWithoutContainer(scene: AtEngine): Promise<Result> {
  const { taken, lease, turn } = scene;
  const decision = decideByLabel(await turn.engine.labelled(taken.record.gameId, lease.signal));
  if (decision.action === 'refuse') return failure(decision.code, decision.message);
  return markRemoved('none', scene, decision.remark);
}

async function replayAfterLook(containerId: string, { taken, lease, turn }: AtEngine): Promise<Result> {
  const found = await turn.engine.look(containerId, lease.signal);
  return replay(taken.record, found.kind === 'gone' ? '' : leftAlone(containerId, found.detail));
}

async function markRemoved(removal: Removal, scene: UnderLease, remark = ''): Promise<Result> {
  const { taken, operation, lease, records } = scene;
  lease.assertHeld();
  const answer = await records.markRemoved(taken.record, operation.successEntry(removal, remark));
  if (answer.status === 'marked') operation.isLogged();
  return resultOfMarking(taken.record, answer, { removal, remark });
}

const leftAlone = (containerId: string, detail: string): string =>
  `the record says removed, but its container ${containerId} exists (${detail}) and was left alone`;

function replay(record: RuntimeRecord, remark = ''): Result {
  const errorMessage = remark === '' ? 'the container was removed before' : remark;
  return { outcome: 'success', errorCode: 'replay_no_op', errorMessage, record, removal: '' };
}

/** The engine refused: the fresh look decides, never the text of the refusal. */
function notRemoved(gameId: string, found: PresentContainer, detail: string): Result {
  const decision = decideByContainer(gameId, found);
  if (decision.action === 'refuse') return failure(decision.code, decision.message);
  return failure('service_unavailable', `the engine did not remove the container: ${detail}`);
}

interface Marking {
  readonly removal: Removal;
  readonly remark: string;
}

function resultOfMarking(taken: RuntimeRecord, answer: MarkRemovedAnswer, { removal, remark }: Marking): Result {
  switch (answer.status) {
    case 'marked':
      return { outcome: 'success', errorCode: '', errorMessage: remark, record: answer.record, removal };
    case 'already_removed':
      return replay(answer.record);
    case 'vanished':
      return failure('not_found', 'the runtime record vanished while its container was cleaned up');
    case 'changed':
      return failure('conflict', whatChanged(taken, answer.record));
  }
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
    'engines.take': deps.engines?.take,
    'observer.concluded': deps.observer?.concluded,
    'observer.auditRowLost': deps.observer?.auditRowLost,
    'clock.monotonicMs': deps.clock?.monotonicMs,
  });
  if (!Number.isFinite(retentionMs) || retentionMs < 0) {
    throw new ConfigurationError(`retentionMs is ${retentionMs}; a number of milliseconds, 0 or more, is needed`);
  }
}
