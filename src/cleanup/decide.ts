/**
 * What may be done, judged from facts alone. First by the record, then, where the record names a container, by what the
 * engine says of it at this moment. Kept apart from I/O so that one table test covers every row. The shape is that of
 * the Kubernetes ttl-after-finished controller: decide on (facts, now), look again at fresh state before deleting.
 */
import { duenessOf } from '../domain/due.js';
import type { FailureCode } from '../domain/error-codes.js';
import { isFullContainerId } from '../domain/runtime-record.js';
import type { ContainerState, TakenRecord } from './ports.js';
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
  /** The record is stopped and names no container: only the record is left to change. */
  | { readonly action: 'mark_removed' }
  | { readonly action: 'look'; readonly containerId: string };

export type ContainerDecision = Refusal | { readonly action: 'remove' } | { readonly action: 'mark_removed' };

const refuse = (code: FailureCode, message: string): Refusal => ({ action: 'refuse', code, message });

/** @param retentionMs how long `auto_ttl` leaves a stopped container alone, in milliseconds */
export function decideByRecord(request: CleanupRequest, taken: TakenRecord, retentionMs: number): RecordDecision {
  const { record } = taken;
  switch (record.status) {
    case 'removed':
      return { action: 'replay' };
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

function decideStopped(request: CleanupRequest, taken: TakenRecord, retentionMs: number): RecordDecision {
  const containerId = taken.record.currentContainerId;
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
  if (containerId === null) return { action: 'mark_removed' };
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

export function decideByContainer(gameId: string, found: ContainerState): ContainerDecision {
  if (found.kind === 'gone') return { action: 'mark_removed' };
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
