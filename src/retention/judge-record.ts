import { duenessOf } from '../domain/due.js';
import { gameIdProblem } from '../domain/operation.js';
import { LAST_INSTANT_MS } from '../domain/time.js';
import type { Hold } from './holds.js';
import type { DeadLetterOf, RetentionRecord } from './ports.js';

export const RETENTION_VERDICTS = [
  'due',
  'not_due',
  'held',
  'dead_letter',
  'invalid_id',
  'running',
  'removed',
  'unsupported_status',
] as const;
/**
 * How the sweep judges a record. `invalid_id`: the record's game id breaks the contract, so a job for it would be refused,
 * or name another game once the id is trimmed.
 */
export type RetentionVerdict = (typeof RETENTION_VERDICTS)[number];

export interface Judgement {
  readonly gameId: string;
  readonly status: string;
  readonly containerId: string | null;
  readonly verdict: RetentionVerdict;
  /** When the retention clock of a stopped record started; null for any other. */
  readonly stoppedSince: Date | null;
  /** When the sweep will take it if nothing changes, or could have; null: never (not stopped, held for good, dead letter). */
  readonly dueAt: Date | null;
  readonly hold: Hold | null;
  readonly deadLetter: DeadLetterOf | null;
}

export interface RetentionCase {
  readonly record: RetentionRecord;
  /** The cleanup of the record's game that is a dead letter, if one is. */
  readonly deadLetter: DeadLetterOf | null;
}

/**
 * Judges a record from facts alone. A hold or a dead letter is named also before the record is due, because the person
 * who set the hold, or who must repair the dead letter, looks for it here; `dueAt` says what it changes.
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
