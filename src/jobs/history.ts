import { z } from 'zod';
import { FAILURE_CODES } from '../domain/error-codes.js';
import { storable } from '../domain/text.js';
import { type AttemptHistory, EMPTY_HISTORY, type FailedAttempt, HISTORY_LENGTH } from './delivery.js';

const failureCode = z.enum(FAILURE_CODES);

const historySchema = z.object({
  counts: z.partialRecord(failureCode, z.number().int().nonnegative()),
  firstFailedAt: z.iso.datetime().nullable(),
  attempts: z.array(
    z.object({ attempt: z.number(), code: failureCode, message: z.string(), at: z.string(), traceId: z.string() }),
  ),
});

/** Reads a job's stored progress; anything that is no history of ours counts as none. */
export function readHistory(progress: unknown): AttemptHistory {
  const read = historySchema.safeParse(progress);
  return read.success ? read.data : EMPTY_HISTORY;
}

/** The history with one more failed attempt; only the newest `HISTORY_LENGTH` are kept in full. */
export function withFailure(history: AttemptHistory, failed: FailedAttempt): AttemptHistory {
  return {
    counts: { ...history.counts, [failed.code]: (history.counts[failed.code] ?? 0) + 1 },
    // Never later than this one: a clock that was set back, or a producer, would put off the end for ever.
    firstFailedAt: earlier(history.firstFailedAt, failed.at),
    attempts: [...history.attempts, { ...failed, message: storable(failed.message, 1_000) }].slice(-HISTORY_LENGTH),
  };
}

function earlier(first: string | null, at: string): string {
  return first !== null && Date.parse(first) <= Date.parse(at) ? first : at;
}
