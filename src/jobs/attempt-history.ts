import { z } from 'zod';
import { FAILURE_CODES } from '../domain/error-codes.js';
import { storable } from '../domain/text.js';
import { type AttemptHistory, EMPTY_HISTORY, type FailedAttempt, HISTORY_LENGTH, PREVIOUS_RUNS } from './delivery.js';

const failureCode = z.enum(FAILURE_CODES);

const attemptSchema = z.object({
  attempt: z.number(),
  code: failureCode,
  message: z.string(),
  at: z.string(),
  traceId: z.string(),
});
const runEndSchema = z.object({ reason: z.string(), at: z.string(), crashes: z.number().int().nonnegative() });

const historySchema = z.object({
  counts: z.partialRecord(failureCode, z.number().int().nonnegative()),
  firstFailedAt: z.iso.datetime().nullable(),
  attempts: z.array(attemptSchema),
  // A job that was stored before replays existed has neither field.
  death: runEndSchema.nullable().default(null),
  pastLives: z.array(runEndSchema.extend({ attempts: z.array(attemptSchema) })).default([]),
});

/** Reads a job's stored progress; a value that no worker of this service wrote counts as an empty history. */
export function readHistory(progress: unknown): AttemptHistory {
  try {
    const read = historySchema.safeParse(progress);
    return read.success ? read.data : EMPTY_HISTORY;
  } catch {
    // Parsed JSON cannot throw here, but an object with a getter can.
    return EMPTY_HISTORY;
  }
}

/** The history with one more failed attempt; only the newest `HISTORY_LENGTH` are kept in full. */
export function withFailure(history: AttemptHistory, failed: FailedAttempt): AttemptHistory {
  // A larger count would not be read back, and the whole history would be lost with it.
  const count = Math.min((history.counts[failed.code] ?? 0) + 1, Number.MAX_SAFE_INTEGER);
  return {
    ...history,
    counts: { ...history.counts, [failed.code]: count },
    // Never later than this failure: a clock that was set back, or a producer, would delay the end for ever.
    firstFailedAt: earlier(history.firstFailedAt, failed.at),
    attempts: [...history.attempts, { ...failed, message: storable(failed.message, 1_000) }].slice(-HISTORY_LENGTH),
  };
}

/**
 * The history of a job that runs now. A job with a stored `death` was a dead letter and has been replayed, by this service
 * or by another tool: a new run begins with counts of its own, and the old run is kept. There is one exception: a worker
 * may vanish after it wrote `death` and before it failed the job. Then the crash count is higher, and the old run goes on.
 */
export function sinceReplay(history: AttemptHistory, crashes: number): AttemptHistory {
  const { death, attempts, pastLives } = history;
  if (death === null) return history;
  if (crashes > death.crashes) return { ...history, death: null };
  return { ...EMPTY_HISTORY, pastLives: [...pastLives, { ...death, attempts }].slice(-PREVIOUS_RUNS) };
}

/** The crashes since the job was added or last replayed. */
export function crashesSinceReplay({ pastLives }: AttemptHistory, crashes: number): number {
  return Math.max(0, crashes - (pastLives.at(-1)?.crashes ?? 0));
}

function earlier(first: string | null, at: string): string {
  return first !== null && Date.parse(first) <= Date.parse(at) ? first : at;
}
