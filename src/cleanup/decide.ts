/**
 * What may be done, judged from facts alone. First by the record, then, where the record names a container, by what the
 * engine says of it at this moment. Kept apart from I/O so that one table test covers every row. The shape is that of
 * the Kubernetes ttl-after-finished controller: decide on (facts, now), look again at fresh state before deleting.
 */
import { duenessOf } from '../domain/due.js';
import type { FailureCode } from '../domain/error-codes.js';
import { isFullContainerId } from '../domain/runtime-record.js';
import type { LabelledContainer, PresentContainer, TakenRecord } from './ports.js';
import type { CleanupRequest } from './validate.js';

interface Refusal {
  readonly action: 'refuse';
  readonly code: FailureCode;
  readonly message: string;
}

export type RecordDecision =
  | Refusal
  /** The record says `removed` already. */
  | { readonly action: 'replay' }
  /** It does, and names a container all the same: another service wrote it. */
  | { readonly action: 'look_before_replay'; readonly containerId: string }
  /** The record is stopped and names no container: only the record is left to change, if no container of the game runs. */
  | { readonly action: 'look_by_label' }
  | { readonly action: 'look'; readonly containerId: string };

export type ContainerDecision = Refusal | { readonly action: 'remove' };

/** `remark` is for the row of the success; empty where there is nothing to say. */
export type LabelDecision = Refusal | { readonly action: 'mark_removed'; readonly remark: string };

const refuse = (code: FailureCode, message: string): Refusal => ({ action: 'refuse', code, message });

/** @param retentionMs how long `auto_ttl` leaves a stopped container alone, in milliseconds */
export function decideByRecord(request: CleanupRequest, taken: TakenRecord, retentionMs: number): RecordDecision {
  const { record } = taken;
  switch (record.status) {
    case 'removed':
      return decideRemoved(record.currentContainerId ?? '');
    case 'running':
      return refuse('conflict', 'the runtime is running; stop the runtime first, then ask for its cleanup');
    case 'stopped':
      return decideStopped(request, taken, retentionMs);
    default:
      return refuse(
        'internal_error',
        `the record has the unsupported status ${JSON.stringify(record.status)}; known: running, stopped, removed`,
      );
  }
}

/** An id that is not a full one cannot be looked at: it could name another container. */
function decideRemoved(containerId: string): RecordDecision {
  return isFullContainerId(containerId) ? { action: 'look_before_replay', containerId } : { action: 'replay' };
}

function decideStopped(request: CleanupRequest, taken: TakenRecord, retentionMs: number): RecordDecision {
  // Other services write an empty text for "no container".
  const containerId = taken.record.currentContainerId === '' ? null : taken.record.currentContainerId;
  const expected = request.expectedContainerId;
  if (expected !== null && expected !== containerId) {
    return refuse(
      'container_mismatch',
      `the request expects container ${expected}; the record names ${containerId ?? 'none'}`,
    );
  }
  if (request.opSource === 'auto_ttl') {
    const notDue = whyNotDue(taken, retentionMs);
    if (notDue !== undefined) return refuse('conflict', notDue);
  }
  if (containerId === null) return { action: 'look_by_label' };
  if (!isFullContainerId(containerId)) {
    return refuse(
      'container_mismatch',
      `the record's container id ${JSON.stringify(containerId)} is not a full one (64 hex digits), so it could name another container`,
    );
  }
  return { action: 'look', containerId };
}

/** A game restarted and stopped again since the sweep, or held since, is left alone. */
function whyNotDue(taken: TakenRecord, retentionMs: number): string | undefined {
  switch (duenessOf(taken, retentionMs)) {
    case 'due':
      return undefined;
    case 'held':
      return 'a retention hold keeps this container';
    case 'not_due': {
      const dueInS = Math.ceil((retentionMs - taken.stoppedForMs) / 1_000);
      return `not due: stopped for ${Math.floor(taken.stoppedForMs / 1_000)} s, due in ${dueInS} s`;
    }
  }
}

/** The containers that carry the label of a game whose record names none. */
export function decideByLabel(found: readonly LabelledContainer[]): LabelDecision {
  const active = found.find(({ isActive }) => isActive);
  if (active !== undefined) {
    return refuse(
      'conflict',
      `the record names no container, but container ${active.containerId} with the label of this game is ${active.status}; stop the runtime first`,
    );
  }
  const named = found.slice(0, CONTAINERS_NAMED).map(({ containerId, status }) => `${containerId} (${status})`);
  const more = found.length > named.length ? ` and ${found.length - named.length} more` : '';
  if (named.length === 0) return { action: 'mark_removed', remark: '' };
  return {
    action: 'mark_removed',
    remark: `the record named no container; left alone, because a label proves no identity: ${named.join(', ')}${more}`,
  };
}

const CONTAINERS_NAMED = 5;

export function decideByContainer(gameId: string, found: PresentContainer): ContainerDecision {
  if (found.gameLabel !== null && found.gameLabel !== gameId) {
    return refuse(
      'container_mismatch',
      `the container's com.galaxy.game_id label names the game ${JSON.stringify(found.gameLabel)}, not this one`,
    );
  }
  switch (found.activity) {
    case 'idle':
      return { action: 'remove' };
    case 'running':
    case 'paused':
    case 'restarting':
      return refuse('conflict', `the engine says that the container is ${found.activity}; stop the runtime first`);
    case 'removing':
      return refuse('service_unavailable', 'the engine is already removing the container; its end is not known yet');
    case 'unknown':
      return refuse('internal_error', `the engine reports a container state that is not understood: ${found.detail}`);
  }
}
