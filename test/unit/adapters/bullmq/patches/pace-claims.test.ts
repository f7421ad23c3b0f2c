import { beforeEach, describe, expect, it } from 'vitest';
import { paceClaims } from '../../../../../src/adapters/bullmq/patches/pace-claims.js';
import { createManualClock, type ManualClock } from '../../../../support/manual-clock.js';

const JOB = [{ data: '{}' }, 'job-1', 0, 0];
const MARKER = { member: 'queue', score: 0 };

/** A store that says what it was asked, and answers as long as it is not away. */
const createStore = () => {
  const asked: string[] = [];
  let isAway = false;
  const answer = async <T>(question: string, given: T): Promise<T> => {
    asked.push(question);
    if (isAway) throw new Error('Connection terminated unexpectedly');
    return given;
  };
  return {
    asked,
    leave: () => void (isAway = true),
    comeBack: () => void (isAway = false),
    moveToActive: (token: string, name?: string) => answer(`claim ${token} ${name ?? ''}`, JOB),
    waitForJob: (timeoutS: number) => answer(`wait ${timeoutS}`, MARKER),
  };
};

describe('a paced store', () => {
  let clock: ManualClock;
  let stopping: AbortController;
  let store: ReturnType<typeof createStore>;

  beforeEach(() => {
    clock = createManualClock();
    stopping = new AbortController();
    store = createStore();
    paceClaims(store, { clock, signal: stopping.signal });
  });

  const refused = (asked: Promise<unknown>): Promise<void> => expect(asked).rejects.toThrow('terminated');

  it('that answers is asked as often as the worker likes, and passes on questions and answers', async () => {
    expect(await store.moveToActive('t-1', 'worker')).toBe(JOB);
    expect(await store.waitForJob(5)).toBe(MARKER);
    expect(await store.moveToActive('t-2')).toBe(JOB);
    expect(store.asked).toEqual(['claim t-1 worker', 'wait 5', 'claim t-2 ']);
    expect(clock.pendingMs()).toEqual([]);
  });

  it.each<readonly [string, () => Promise<unknown>]>([
    ['claim', () => store.moveToActive('t-1')],
    ['wait', () => store.waitForJob(5)],
  ])('that failed to answer a %s says so at once and is asked anything again a second later', async (_what, ask) => {
    store.leave();
    await refused(ask());
    store.comeBack();
    const answers = Promise.all([store.moveToActive('t-2'), store.waitForJob(7)]);
    await clock.advance(999);
    expect(store.asked).toHaveLength(1);
    await clock.advance(1);
    expect(await answers).toEqual([JOB, MARKER]);
  });

  it('that goes on failing is asked once a second', async () => {
    store.leave();
    const worker = (async () => {
      while (!stopping.signal.aborted) await store.moveToActive('t').catch(() => undefined);
    })();
    await clock.advance(10_500);
    expect(store.asked).toHaveLength(11);
    stopping.abort();
    await worker;
  });

  it('is asked nothing any more once the worker stops, which ends its rest', async () => {
    store.leave();
    await refused(store.moveToActive('t-1'));
    store.comeBack();
    const resting = Promise.all([store.moveToActive('t-2'), store.waitForJob(5)]);
    stopping.abort();
    expect(await resting).toEqual([[], null]);
    expect(await store.moveToActive('t-3')).toEqual([]);
    expect(store.asked).toHaveLength(1);
    expect(clock.pendingMs()).toEqual([]);
  });
});
