import { z } from 'zod';
import { FAILURE_CODES } from '../domain/error-codes.js';
import { storable } from '../domain/text.js';
import { type AttemptHistory, EMPTY_HISTORY, type FailedAttempt, HISTORY_LENGTH, PAST_LIVES } from './delivery.js';

const failureCode = z.enum(FAILURE_CODES);

const attemptSchema = z.object({
  attempt: z.number(),
  code: failureCode,
  message: z.string(),
  at: z.string(),
  traceId: z.string(),
});
const deathSchema = z.object({ reason: z.string(), at: z.string(), crashes: z.number().int().nonnegative() });

const historySchema = z.object({
  counts: z.partialRecord(failureCode, z.number().int().nonnegative()),
  firstFailedAt: z.iso.datetime().nullable(),
  attempts: z.array(attemptSchema),
  // A job that was stored before there were replays says nothing of them.
  death: deathSchema.nullable().default(null),
  pastLives: z.array(deathSchema.extend({ attempts: z.array(attemptSchema) })).default([]),
});

/** Reads a job's stored progress; anything that is no history of ours counts as none. */
export function readHistory(progress: unknown): AttemptHistory {
  try {
    const read = historySchema.safeParse(progress);
    return read.success ? read.data : EMPTY_HISTORY;
  } catch {
    // No JSON does that, but a getter may.
    return EMPTY_HISTORY;
  }
}

/** The history with one more failed attempt; only the newest `HISTORY_LENGTH` are kept in full. */
export function withFailure(history: AttemptHistory, failed: FailedAttempt): AttemptHistory {
  // One more than that would not be read back, and with it the whole history.
  const count = Math.min((history.counts[failed.code] ?? 0) + 1, Number.MAX_SAFE_INTEGER);
  return {
    ...history,
    counts: { ...history.counts, [failed.code]: count },
    // Never later than this one: a clock that was set back, or a producer, would put off the end for ever.
    firstFailedAt: earlier(history.firstFailedAt, failed.at),
    attempts: [...history.attempts, { ...failed, message: storable(failed.message, 1_000) }].slice(-HISTORY_LENGTH),
  };
}

/**
 * The history of a job that runs now. If it had been a dead letter, somebody has replayed it, whoever and with whatever
 * tool: a new life begins, with counts of its own, and the old one is kept. Unless the worker vanished between writing
 * the death down and failing the job: then it crashed once more, and the old life goes on.
 */
export function sinceReplay(history: AttemptHistory, crashes: number): AttemptHistory {
  const { death, attempts, pastLives } = history;
  if (death === null) return history;
  if (crashes > death.crashes) return { ...history, death: null };
  return { ...EMPTY_HISTORY, pastLives: [...pastLives, { ...death, attempts }].slice(-PAST_LIVES) };
}

/** Crashes of this life alone. */
export function crashesOfThisLife({ pastLives }: AttemptHistory, crashes: number): number {
  return Math.max(0, crashes - (pastLives.at(-1)?.crashes ?? 0));
}

function earlier(first: string | null, at: string): string {
  return first !== null && Date.parse(first) <= Date.parse(at) ? first : at;
}
