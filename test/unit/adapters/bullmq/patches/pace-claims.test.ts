import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { paceClaims } from '../../../../../src/adapters/bullmq/patches/pace-claims.js';
import { LibraryChangedError } from '../../../../../src/domain/errors.js';
import { createManualClock, type ManualClock } from '../../../../support/manual-clock.js';
import { unconnectedWorker } from './unconnected-worker.js';

const JOB = [{ data: '{}' }, 'job-1', 0, 0];
const MARKER = { member: 'queue', score: 0 };

/** A backend that records its requests; they fail between `goDown` and `comeBack`. */
const createStore = () => {
  const requests: string[] = [];
  let isUnavailable = false;
  const answer = async <T>(question: string, given: T): Promise<T> => {
    requests.push(question);
    if (isUnavailable) throw new Error('Connection terminated unexpectedly');
    return given;
  };
  return {
    requests,
    goDown: () => void (isUnavailable = true),
    comeBack: () => void (isUnavailable = false),
    moveToActive: (token: string, name?: string) => answer(`claim ${token} ${name ?? ''}`, JOB),
    waitForJob: (timeoutS: number) => answer(`wait ${timeoutS}`, MARKER),
  };
};

describe('paceClaims', () => {
  let clock: ManualClock;
  let stopping: AbortController;
  let store: ReturnType<typeof createStore>;

  beforeEach(() => {
    clock = createManualClock();
    stopping = new AbortController();
    store = createStore();
    paceClaims(store, { clock, signal: stopping.signal });
  });

  const refused = (requests: Promise<unknown>): Promise<void> => expect(requests).rejects.toThrow('terminated');

  it('a backend that answers gets every request at once, and its answers are passed on', async () => {
    expect(await store.moveToActive('t-1', 'worker')).toBe(JOB);
    expect(await store.waitForJob(5)).toBe(MARKER);
    expect(await store.moveToActive('t-2')).toBe(JOB);
    expect(store.requests).toEqual(['claim t-1 worker', 'wait 5', 'claim t-2 ']);
    expect(clock.pendingMs()).toEqual([]);
  });

  it.each<readonly [string, () => Promise<unknown>]>([
    ['moveToActive', () => store.moveToActive('t-1')],
    ['waitForJob', () => store.waitForJob(5)],
  ])('a failed %s is passed on at once, and the next request waits a second', async (_what, ask) => {
    store.goDown();
    await refused(ask());
    store.comeBack();
    const answers = Promise.all([store.moveToActive('t-2'), store.waitForJob(7)]);
    await clock.advance(999);
    expect(store.requests).toHaveLength(1);
    await clock.advance(1);
    expect(await answers).toEqual([JOB, MARKER]);
  });

  it('a backend that keeps failing gets one request a second', async () => {
    store.goDown();
    const worker = (async () => {
      while (!stopping.signal.aborted) await store.moveToActive('t').catch(() => undefined);
    })();
    await clock.advance(10_500);
    expect(store.requests).toHaveLength(11);
    stopping.abort();
    await worker;
  });

  it('a stopping worker sends no more requests, and its wait ends at once', async () => {
    store.goDown();
    await refused(store.moveToActive('t-1'));
    store.comeBack();
    const resting = Promise.all([store.moveToActive('t-2'), store.waitForJob(5)]);
    stopping.abort();
    expect(await resting).toEqual([[], null]);
    expect(await store.moveToActive('t-3')).toEqual([]);
    expect(store.requests).toHaveLength(1);
    expect(clock.pendingMs()).toEqual([]);
  });
});

describe("BullMQ's worker on a store that refuses every claim", () => {
  const CLAIMS = 50;
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval'] }));
  afterEach(() => void vi.useRealTimers());

  /** Runs a worker whose claims fail; `onClaim` gets the number of claims so far. */
  const runWorker = (onClaim: (claims: number) => void) => {
    let claims = 0;
    const worker = unconnectedWorker({
      moveToActive: async () => {
        onClaim((claims += 1));
        throw new Error('OOM command not allowed when used memory > maxmemory');
      },
      waitForJob: async () => null,
    });
    worker.on('error', () => undefined);
    return { worker, claims: () => claims };
  };

  it('an unpatched worker repeats the claim without a pause', async () => {
    const { worker, claims } = runWorker((count) => {
      if (count === CLAIMS) void worker.close(true);
    });
    await worker.run();
    // No timer has fired, because no fake time has passed.
    expect(claims()).toBeGreaterThanOrEqual(CLAIMS);
  });

  it('a patched worker claims once a second', async () => {
    const clock = createManualClock();
    const stopping = new AbortController();
    const { worker, claims } = runWorker(() => undefined);
    paceClaims(worker.getBackend(), { clock, signal: stopping.signal });
    const running = worker.run();
    await clock.advance(10_500);
    expect(claims()).toBe(11);
    await worker.close(true);
    stopping.abort();
    await running;
  });

  it.each(['moveToActive', 'waitForJob'] as const)('the patch refuses a backend without %s', (member) => {
    const store = { ...createStore(), [member]: undefined };
    const options = { clock: createManualClock(), signal: new AbortController().signal };
    expect(() => paceClaims(store as never, options)).toThrow(LibraryChangedError);
  });
});
