/**
 * Whether a removed record may be put back, judged from facts alone: first by the record and the row of its newest
 * cleanup, then by what the engine of that row says of the container at this moment.
 */
import type { FailureCode } from '../domain/error-codes.js';
import { DEFAULT_ENGINE, isFullContainerId, type RuntimeRecord } from '../domain/runtime-record.js';
import { decideByContainer } from './decide.js';
import type { ContainerState } from './ports.js';

/** The newest row that says of a game: its container was cleaned up. */
export interface CleanupRow {
  readonly containerId: string;
  readonly removal: string;
  /** Empty in rows from before several engines. */
  readonly engine: string;
  /** The game was started after this row, so it speaks of an earlier container. */
  readonly startedSince: boolean;
}

interface Refusal {
  readonly action: 'refuse';
  readonly code: FailureCode;
  readonly message: string;
}

/** `look`: the record may be put back if this engine has this container. */
export type RowDecision = Refusal | { readonly action: 'look'; readonly engine: string; readonly containerId: string };

export type ReopenDecision = Refusal | { readonly action: 'reopen' };

const refuse = (code: FailureCode, message: string): Refusal => ({ action: 'refuse', code, message });

export function decideByRow({ status }: Pick<RuntimeRecord, 'status'>, row: CleanupRow | null): RowDecision {
  if (status !== 'removed') {
    return refuse('conflict', `the record is ${JSON.stringify(status)}; only a removed record can be reopened`);
  }
  if (row === null) return refuse('conflict', 'the operation log has no cleanup of this game that succeeded');
  if (row.removal !== 'already_gone') {
    const said = row.removal === '' ? 'does not say what happened to the container' : `says ${row.removal}`;
    return refuse('conflict', `only "already_gone" can be undone, and the newest cleanup of this game ${said}`);
  }
  if (row.startedSince) {
    return refuse('conflict', 'the game was started after its newest cleanup, which was of an earlier container');
  }
  if (!isFullContainerId(row.containerId)) {
    const id = JSON.stringify(row.containerId.slice(0, 80));
    return refuse('conflict', `the operation log names the container ${id}, which is not a full id (64 hex digits)`);
  }
  return { action: 'look', engine: row.engine === '' ? DEFAULT_ENGINE : row.engine, containerId: row.containerId };
}

/** A container without the game's label is refused too: here only the label shows that it is the game's. */
export function decideByLook(gameId: string, engine: string, found: ContainerState): ReopenDecision {
  if (found.kind === 'gone') {
    return refuse('not_found', `the engine ${JSON.stringify(engine)} has no such container, so nothing was changed`);
  }
  if (found.gameLabel === null) {
    return refuse('container_mismatch', 'the container has no com.galaxy.game_id label, so it may be of another game');
  }
  const decision = decideByContainer(gameId, found);
  return decision.action === 'refuse' ? decision : { action: 'reopen' };
}
