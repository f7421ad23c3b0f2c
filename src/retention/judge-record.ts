import { duenessOf } from '../domain/due.js';
import { gameIdProblem } from '../domain/operation.js';
import type { DeadLetterOf, RetentionRecord } from './ports.js';
import type { Judgement, RetentionVerdict } from './retention.js';

export interface RetentionCase {
  readonly record: RetentionRecord;
  /** The cleanup of the record's game that is a dead letter, if one is. */
  readonly deadLetter: DeadLetterOf | null;
}

/** The last instant that a `Date` knows, in milliseconds. */
const LAST_INSTANT_MS = 8.64e15;

/**
 * What the sweep makes of a record, judged from facts alone. A hold or a dead letter is named also before the record's
 * time has come, because whoever set the one or is to mend the other looks for it here; `dueAt` says what it changes.
 */
export function judge({ record, deadLetter }: RetentionCase, retentionMs: number): Judgement {
  const { gameId, status, containerId, since, hold } = record;
  const verdict = verdictOf({ record, deadLetter }, retentionMs);
  return {
    gameId,
    status,
    containerId,
    verdict,
    stoppedSince: status === 'stopped' ? since : null,
    dueAt: dueAtOf(record, verdict, deadLetter, retentionMs),
    hold,
    deadLetter,
  };
}

function verdictOf({ record, deadLetter }: RetentionCase, retentionMs: number): RetentionVerdict {
  switch (record.status) {
    case 'stopped':
      break;
    case 'running':
    case 'removed':
      return record.status;
    default:
      return 'unsupported_status';
  }
  if (!isGameId(record.gameId)) return 'invalid_id';
  const dueness = duenessOf({ stoppedForMs: record.stoppedForMs, held: record.hold !== null }, retentionMs);
  if (dueness === 'held') return 'held';
  return deadLetter === null ? dueness : 'dead_letter';
}

/** Whether a job for this id would name this record: a job's game id is trimmed. */
const isGameId = (text: string): boolean => text === text.trim() && gameIdProblem(text) === undefined;

function dueAtOf(
  { since, hold }: RetentionRecord,
  verdict: RetentionVerdict,
  deadLetter: DeadLetterOf | null,
  retentionMs: number,
): Date | null {
  if (verdict !== 'due' && verdict !== 'not_due' && verdict !== 'held') return null;
  if (deadLetter !== null || since === null) return null;
  const clockEndMs = since.getTime() + retentionMs;
  const holdEndMs = hold === null ? clockEndMs : (hold.heldUntil?.getTime() ?? Number.POSITIVE_INFINITY);
  const dueAtMs = Math.max(clockEndMs, holdEndMs);
  return dueAtMs <= LAST_INSTANT_MS ? new Date(dueAtMs) : null;
}
