/**
 * Writes the outcome of a job. The processor does it itself, before BullMQ would: BullMQ turns every error of that write,
 * except a refused connection, into a failed attempt, so that successful work ends as a failure. Here the write is repeated
 * until the store accepts it. That is safe because the store accepts one outcome, and only from the job's current holder.
 */
import { setMaxListeners } from 'node:events';
import type { Job } from 'bullmq';
import { type Clock, pause } from '../../../async/clock.js';
import { resultToJson } from '../../../domain/result.js';
import { storable } from '../../../domain/text.js';
import type { AttemptHistory, FailedAttempt, JobOutcome } from '../../../jobs/delivery.js';
import { withStepEvents } from '../../../async/step-events.js';
import { bullmq } from '../library.js';
import { isJobLost, isTransient } from '../store/store-errors.js';
import { storableJson } from '../store/stored-text.js';

export type HeldJob = Pick<
  Job,
  'id' | 'updateProgress' | 'moveToCompleted' | 'moveToDelayed' | 'moveToFailed' | 'moveToWait'
>;

/** `lost`: the job is gone, has an outcome already, or belongs to another worker; nothing is left to write. */
export type Written = 'written' | 'lost';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
const REASON_MAX_CHARACTERS = 2_000;

export interface JobCompleter {
  readonly complete: (job: HeldJob, token: string, outcome: JobOutcome, signal: AbortSignal) => Promise<Written>;
  /** Puts the job back as if it had not been started; no attempt is counted. */
  readonly handBack: (job: HeldJob, token: string) => Promise<Written>;
}

/** Rejects with the store's error when a repetition would not help, or once the signal is aborted. */
export function createJobCompleter({ clock }: { readonly clock: Clock }): JobCompleter {
  async function complete(job: HeldJob, token: string, outcome: JobOutcome, signal: AbortSignal): Promise<Written> {
    switch (outcome.action) {
      case 'complete': {
        const result = storableJson(resultToJson(outcome.result));
        return persist(() => job.moveToCompleted(result, token, false), signal);
      }
      case 'hold': {
        const dueMs = clock.now().getTime() + wholeDelayMs(outcome.delayMs);
        return persist(() => job.moveToDelayed(dueMs, token), signal);
      }
      case 'retry': {
        const dueMs = clock.now().getTime() + wholeDelayMs(outcome.delayMs);
        return withHistory(job, outcome.history, () => job.moveToDelayed(dueMs, token), signal);
      }
      case 'dead_letter': {
        const fail = (): Promise<unknown> => job.moveToFailed(deadLetterError(outcome.reason), token, false);
        return withHistory(job, outcome.history, fail, signal);
      }
    }
  }

  /** The history is written first: once the job is moved, another worker may read it. */
  async function withHistory(
    job: HeldJob,
    history: AttemptHistory,
    move: () => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<Written> {
    const progress = { ...history, attempts: history.attempts.map(storableAttempt) };
    const written = await persist(() => job.updateProgress(progress), signal);
    return written === 'lost' ? 'lost' : persist(move, signal);
  }

  async function persist(write: () => Promise<unknown>, signal: AbortSignal): Promise<Written> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        await write();
        return 'written';
      } catch (error) {
        if (isJobLost(error)) return 'lost';
        if (!isTransient(error) || signal.aborted) throw error;
        await pause(clock, pauseMs, signal);
      }
    }
  }

  const neverAborted = new AbortController().signal;
  // In an outage every job that is handed back listens here; Node reports more than ten listeners as a leak.
  setMaxListeners(0, neverAborted);
  return {
    complete: (job, token, outcome, signal) => {
      const facts = { 'job.id': job.id, 'rtmanager.settlement': outcome.action };
      // The step is named "job settle" because the fault laboratory finds it by this name.
      return withStepEvents('job settle', facts, () => complete(job, token, outcome, signal));
    },
    handBack: (job, token) => persist(() => job.moveToWait(token), neverAborted),
  };
}

/** A whole, finite delay: PostgreSQL refuses fractions of a millisecond. */
export function wholeDelayMs(delayMs: number): number {
  return Number.isFinite(delayMs) ? Math.max(0, Math.round(delayMs)) : 1_000;
}

const storableAttempt = (attempt: FailedAttempt): FailedAttempt => ({ ...attempt, message: storable(attempt.message) });

function deadLetterError(reason: string): Error {
  const { UnrecoverableError } = bullmq();
  const error = new UnrecoverableError(storable(reason, REASON_MAX_CHARACTERS));
  // The stack would only name this file, and it would be stored with the job.
  error.stack = '';
  return error;
}
