import { type Clock, pause, untilAborted } from '../../async/clock.js';
import { TimeoutError } from '../../domain/errors.js';
import type { HttpParts } from './http-ports.js';
import { withDeadline } from '../../async/deadline.js';

const LIMIT_MS = 900;
/** For what takes its time where there is much of it. */
const PATIENCE_MS = 30_000;
const PROBE_EVERY_MS = 500;

/** A store that hangs is as good as away: whoever asks gets that answer within a second, not the hang. */
export type Soon = <T>(asked: Promise<T>) => Promise<T>;

export const createSoon =
  (clock: Clock): Soon =>
  (asked) =>
    withDeadline(
      {
        clock,
        limitMs: LIMIT_MS,
        late: () => new TimeoutError('database or queue did not answer', LIMIT_MS, { advice: 'ask again' }),
      },
      () => asked,
    );

/**
 * For questions whose answers grow with what there is: they are waited for as long as the stores answer small questions
 * at once, so that a lot of work is told from a store that is away.
 */
export function createPatient({ clock, records, jobs }: Pick<HttpParts, 'clock' | 'records' | 'jobs'>): Soon {
  const soon = createSoon(clock);
  const probe = (): Promise<unknown> => soon(Promise.all([records.findRecord('probe'), jobs.find('0')]));
  const late = () => new TimeoutError('there was no answer', PATIENCE_MS, { advice: 'ask for less' });
  return (asked) => withDeadline({ clock, limitMs: PATIENCE_MS, late }, () => whileAnswering(clock, probe, asked));
}

/** Work on the queue that ends by itself or when the signal is aborted, for as long as the queue answers. */
export function createQueuePatience({ clock, jobs }: Pick<HttpParts, 'clock' | 'jobs'>) {
  const soon = createSoon(clock);
  return <T>(asked: Promise<T>, signal: AbortSignal): Promise<T> =>
    whileAnswering(clock, () => soon(jobs.find('0')), asked, signal);
}

/** The ending of `asked`, or the first failure of a probe, or the signal's reason, whichever comes first. */
async function whileAnswering<T>(
  clock: Clock,
  probe: () => Promise<unknown>,
  asked: Promise<T>,
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
    return await Promise.race([asked, watch()]);
  } finally {
    settled.abort();
  }
}
