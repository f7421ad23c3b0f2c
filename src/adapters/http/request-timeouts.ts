import { type Clock, pause, untilAborted } from '../../async/clock.js';
import { withDeadline } from '../../async/deadline.js';
import { TimeoutError } from '../../domain/errors.js';
import type { JobLookup } from '../../jobs/ports.js';
import type { RecordQueries } from '../../domain/record-queries.js';

const ANSWER_LIMIT_MS = 900;
/** For questions whose answers take longer when there are many rows or jobs. */
const LONG_ANSWER_LIMIT_MS = 30_000;
const PROBE_EVERY_MS = 500;

export interface QueueProbe {
  readonly clock: Clock;
  readonly jobs: Pick<JobLookup, 'find'>;
}

export interface StoresProbe extends QueueProbe {
  readonly records: Pick<RecordQueries, 'findRecord'>;
}

/** Waits for an answer of a store, or rejects with an `UnavailableError` when it takes too long. */
export type AnswerLimit = <T>(answer: Promise<T>) => Promise<T>;

/** A store that hangs counts as unavailable, so that the caller gets an answer within a second. */
export const createWithinSecond =
  (clock: Clock): AnswerLimit =>
  (answer) =>
    withDeadline(
      {
        clock,
        limitMs: ANSWER_LIMIT_MS,
        late: () => new TimeoutError('database or queue did not answer', ANSWER_LIMIT_MS, { advice: 'ask again' }),
      },
      () => answer,
    );

/**
 * For long answers: waits while both stores answer a small question within a second. This tells a large amount of work
 * from a store that is unavailable.
 */
export function createWhileStoresAnswer({ clock, records, jobs }: StoresProbe): AnswerLimit {
  const withinSecond = createWithinSecond(clock);
  const probe = (): Promise<unknown> => withinSecond(Promise.all([records.findRecord('probe'), jobs.find('0')]));
  const late = () => new TimeoutError('there was no answer', LONG_ANSWER_LIMIT_MS, { advice: 'ask for less' });
  return (answer) =>
    withDeadline({ clock, limitMs: LONG_ANSWER_LIMIT_MS, late }, () => whileProbeAnswers(clock, probe, answer));
}

/** For work on the queue that ends by itself or on abort: waits without a limit while the queue answers. */
export function createWhileQueueAnswers({ clock, jobs }: QueueProbe) {
  const withinSecond = createWithinSecond(clock);
  const probe = (): Promise<unknown> => withinSecond(jobs.find('0'));
  return <T>(answer: Promise<T>, signal: AbortSignal): Promise<T> => whileProbeAnswers(clock, probe, answer, signal);
}

/** Settles as `answer` does, or rejects with a probe's first error or the signal's reason if that comes first. */
async function whileProbeAnswers<T>(
  clock: Clock,
  probe: () => Promise<unknown>,
  answer: Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const settled = new AbortController();
  const over = signal === undefined ? settled.signal : AbortSignal.any([settled.signal, signal]);
  const ending = untilAborted(over);
  const watch = async (): Promise<never> => {
    for (;;) {
      await Promise.race([probe(), ending]);
      over.throwIfAborted();
      await pause(clock, PROBE_EVERY_MS, over);
      over.throwIfAborted();
    }
  };
  try {
    return await Promise.race([answer, watch()]);
  } finally {
    settled.abort();
  }
}
