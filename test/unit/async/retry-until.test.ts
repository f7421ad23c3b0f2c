import { describe, expect, it } from 'vitest';
import { retryUntil, type RetryOptions } from '../../../src/async/retry-until.js';
import { createManualClock } from '../../support/manual-clock.js';

/** An attempt that fails `failures` times, with the number of the attempt as the message. */
function setUp(failures: number, options: Partial<RetryOptions> = {}) {
  const clock = createManualClock();
  const stop = new AbortController();
  const events: unknown[] = [];
  let attempts = 0;
  const attempt = async (): Promise<string> => {
    attempts += 1;
    if (attempts <= failures) throw new RangeError(`attempt ${attempts}`);
    return `attempt ${attempts}`;
  };
  const ending = retryUntil(attempt, {
    clock,
    signal: stop.signal,
    everyMs: 100,
    onFailed: (error, waitedMs) => events.push(['failed', (error as Error).message, waitedMs]),
    onRecovered: (waitedMs) => events.push(['recovered', waitedMs]),
    ...options,
  });
  ending.catch(() => undefined);
  return { clock, stop, events, ending, attempts: () => attempts };
}

describe('retryUntil', () => {
  it('a first success is returned without a report', async () => {
    const { ending, events, clock } = setUp(0);
    expect(await ending).toBe('attempt 1');
    expect(events).toEqual([]);
    expect(clock.pendingMs()).toEqual([]);
  });

  it('each failure and the recovery are reported with the time waited', async () => {
    const { ending, events, clock } = setUp(2);
    await clock.advance(200);
    expect(await ending).toBe('attempt 3');
    expect(events).toEqual([
      ['failed', 'attempt 1', 0],
      ['failed', 'attempt 2', 100],
      ['recovered', 200],
    ]);
  });

  it('a permanent error is thrown at once', async () => {
    const { ending, attempts } = setUp(1, { mayPass: (error) => !(error instanceof RangeError) });
    await expect(ending).rejects.toThrow('attempt 1');
    expect(attempts()).toBe(1);
  });

  it('the last attempt is made exactly at the limit, and its error is thrown', async () => {
    const { ending, clock, attempts } = setUp(Number.POSITIVE_INFINITY, { limitMs: 200 });
    await clock.advance(200);
    await expect(ending).rejects.toThrow('attempt 3');
    expect(attempts()).toBe(3);
  });

  it('the attempts continue until a millisecond before the limit', async () => {
    const { ending, clock } = setUp(3, { limitMs: 201 });
    await clock.advance(300);
    expect(await ending).toBe('attempt 4');
  });

  it('an abort in a pause rejects with its reason, and no further attempt is made', async () => {
    const { ending, clock, stop, attempts } = setUp(5);
    await clock.advance(50);
    stop.abort(new Error('stopping'));
    await expect(ending).rejects.toThrow('stopping');
    expect(attempts()).toBe(1);
    expect(clock.pendingMs()).toEqual([]);
  });
});
