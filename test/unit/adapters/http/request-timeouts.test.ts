import { describe, expect, it } from 'vitest';
import {
  createWhileQueueAnswers,
  createWhileStoresAnswer,
  createWithinSecond,
} from '../../../../src/adapters/http/request-timeouts.js';
import { UnavailableError } from '../../../../src/domain/errors.js';
import { createManualClock } from '../../../support/manual-clock.js';

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);
const records = { findRecord: async () => undefined };
const jobs = { find: async () => undefined };

/** Records how the promise settles; listens at once, so that a rejection is never unhandled. */
const watched = (promise: Promise<unknown>) => {
  const seen: { ended?: unknown } = {};
  promise.then(
    (value) => (seen.ended = value),
    (error: unknown) => (seen.ended = error),
  );
  return seen;
};

describe('a short query', () => {
  it('a short query is answered by the store, or refused within a second', async () => {
    const clock = createManualClock();
    const withinSecond = createWithinSecond(clock);
    await expect(withinSecond(Promise.resolve('here'))).resolves.toBe('here');
    const hung = watched(withinSecond(never()));
    await clock.advance(899);
    expect(hung.ended).toBeUndefined();
    await clock.advance(1);
    expect(hung.ended).toBeInstanceOf(UnavailableError);
    expect(clock.pendingMs()).toEqual([]);
  });
});

describe('a long query', () => {
  it('a long query waits while the stores answer short ones', async () => {
    const clock = createManualClock();
    let answer = (_value: string): void => undefined;
    const asked = watched(
      createWhileStoresAnswer({ clock, records, jobs })(new Promise<string>((resolve) => (answer = resolve))),
    );
    await clock.advance(20_000);
    expect(asked.ended).toBeUndefined();
    answer('much');
    await clock.advance(0);
    expect(asked.ended).toBe('much');
    expect(clock.pendingMs()).toEqual([]);
  });

  it('a long query is refused after 30 seconds', async () => {
    const clock = createManualClock();
    const asked = watched(createWhileStoresAnswer({ clock, records, jobs })(never()));
    await clock.advance(30_000);
    expect(asked.ended).toMatchObject({ message: 'there was no answer within 30000 ms; ask for less' });
  });

  it.each([
    ['the database', { records: { ...records, findRecord: never }, jobs }],
    ['the queue', { records, jobs: { find: never } }],
  ])('a long query is refused within a second when %s hangs', async (_what, parts) => {
    const clock = createManualClock();
    const asked = watched(createWhileStoresAnswer({ clock, ...parts })(never()));
    await clock.advance(900);
    expect(asked.ended).toBeInstanceOf(UnavailableError);
    await clock.advance(0);
    expect(clock.pendingMs()).toEqual([]);
  });

  it('a long query is refused when the queue becomes unavailable meanwhile', async () => {
    const clock = createManualClock();
    let unavailable = false;
    const find = async () => {
      if (unavailable) throw new UnavailableError('queue', 'gone');
      return undefined;
    };
    const asked = watched(createWhileQueueAnswers({ clock, jobs: { find } })(never(), new AbortController().signal));
    await clock.advance(5_000);
    expect(asked.ended).toBeUndefined();
    unavailable = true;
    await clock.advance(500);
    expect(asked.ended).toMatchObject({ message: 'gone' });
  });

  it('a long query ends at once when its caller disconnects', async () => {
    const clock = createManualClock();
    const caller = new AbortController();
    const asked = watched(createWhileQueueAnswers({ clock, jobs: { find: never } })(never(), caller.signal));
    await clock.advance(100);
    caller.abort(new Error('the caller has disconnected'));
    await clock.advance(0);
    expect(asked.ended).toMatchObject({ message: 'the caller has disconnected' });
    // A running probe ends by its own deadline.
    await clock.advance(900);
    expect(clock.pendingMs()).toEqual([]);
  });
});
