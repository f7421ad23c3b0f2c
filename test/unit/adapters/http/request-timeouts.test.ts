import { describe, expect, it } from 'vitest';
import { createPatient, createQueuePatience, createSoon } from '../../../../src/adapters/http/request-timeouts.js';
import { UnavailableError } from '../../../../src/domain/errors.js';
import { createManualClock } from '../../../support/manual-clock.js';

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);
const records = { findRecord: async () => undefined, listRecords: never, listOperations: never };
const jobs = { find: async () => undefined };

/** Listens at once, so that a rejection is never unhandled, and tells what became of it. */
const watched = (promise: Promise<unknown>) => {
  const seen: { ended?: unknown } = {};
  promise.then(
    (value) => (seen.ended = value),
    (error: unknown) => (seen.ended = error),
  );
  return seen;
};

describe('a small question', () => {
  it('is answered by the store, or by us within a second', async () => {
    const clock = createManualClock();
    const soon = createSoon(clock);
    await expect(soon(Promise.resolve('here'))).resolves.toBe('here');
    const hung = watched(soon(never()));
    await clock.advance(899);
    expect(hung.ended).toBeUndefined();
    await clock.advance(1);
    expect(hung.ended).toBeInstanceOf(UnavailableError);
    expect(clock.pendingMs()).toEqual([]);
  });
});

describe('a large question', () => {
  it('is waited for while the stores answer small ones', async () => {
    const clock = createManualClock();
    let answer = (_value: string): void => undefined;
    const asked = watched(
      createPatient({ clock, records, jobs })(new Promise<string>((resolve) => (answer = resolve))),
    );
    await clock.advance(20_000);
    expect(asked.ended).toBeUndefined();
    answer('much');
    await clock.advance(0);
    expect(asked.ended).toBe('much');
    expect(clock.pendingMs()).toEqual([]);
  });

  it('but not for ever', async () => {
    const clock = createManualClock();
    const asked = watched(createPatient({ clock, records, jobs })(never()));
    await clock.advance(30_000);
    expect(asked.ended).toMatchObject({ message: 'there was no answer within 30000 ms; ask for less' });
  });

  it.each([
    ['the database', { records: { ...records, findRecord: never }, jobs }],
    ['the queue', { records, jobs: { find: never } }],
  ])('is given up within a second when %s hangs', async (_what, parts) => {
    const clock = createManualClock();
    const asked = watched(createPatient({ clock, ...parts })(never()));
    await clock.advance(900);
    expect(asked.ended).toBeInstanceOf(UnavailableError);
    await clock.advance(0);
    expect(clock.pendingMs()).toEqual([]);
  });

  it('is given up when the queue goes away meanwhile', async () => {
    const clock = createManualClock();
    let away = false;
    const find = async () => {
      if (away) throw new UnavailableError('queue', 'gone');
      return undefined;
    };
    const asked = watched(createQueuePatience({ clock, jobs: { find } })(never(), new AbortController().signal));
    await clock.advance(5_000);
    expect(asked.ended).toBeUndefined();
    away = true;
    await clock.advance(500);
    expect(asked.ended).toMatchObject({ message: 'gone' });
  });

  it('ends at once with whoever asked', async () => {
    const clock = createManualClock();
    const caller = new AbortController();
    const asked = watched(createQueuePatience({ clock, jobs: { find: never } })(never(), caller.signal));
    await clock.advance(100);
    caller.abort(new Error('the caller has gone'));
    await clock.advance(0);
    expect(asked.ended).toMatchObject({ message: 'the caller has gone' });
    // A probe that was under way ends by its own deadline.
    await clock.advance(900);
    expect(clock.pendingMs()).toEqual([]);
  });
});
