import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createManualClock } from '../../support/manual-clock.js';
import { withDeadline } from '../../../src/async/deadline.js';
import { TimeoutError } from '../../../src/domain/errors.js';

/** Listens at once, so that a later rejection is never unhandled. */
const rejectionOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => Promise.reject(new Error(`resolved to ${String(value)}`)),
    (reason: unknown) => reason,
  );

const late = (): TimeoutError => new TimeoutError('no answer', 100);

const never = (): Promise<never> => new Promise<never>(() => undefined);

describe('a deadline', () => {
  const broken = new Error('connect ENOENT');
  test.each<[string, () => Promise<string>, PromiseSettledResult<string>]>([
    ['resolves in time passes on its value', async () => 'answer', { status: 'fulfilled', value: 'answer' }],
    ['rejects in time passes on its error', () => Promise.reject(broken), { status: 'rejected', reason: broken }],
    [
      'throws synchronously passes on its error',
      () => {
        throw broken;
      },
      { status: 'rejected', reason: broken },
    ],
  ])('a call that %s and leaves no timer and no listener', async (_what, call, ending) => {
    const clock = createManualClock();
    const { signal } = new AbortController();
    const [settled] = await Promise.allSettled([withDeadline({ clock, limitMs: 100, late, signal }, call)]);
    expect(settled).toEqual(ending);
    expect(clock.pendingMs()).toEqual([]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('a call that never settles ends exactly at the limit and is aborted', async () => {
    const clock = createManualClock();
    const { signal } = new AbortController();
    const given: AbortSignal[] = [];
    let ending: unknown;
    const waiting = withDeadline({ clock, limitMs: 100, late, signal }, (own) => {
      given.push(own);
      return never();
    }).catch((error: unknown) => {
      ending = error;
    });
    await clock.advance(99);
    expect(ending).toBeUndefined();
    expect(given.map((own) => own.aborted)).toEqual([false]);
    await clock.advance(1);
    await waiting;
    expect(ending).toBeInstanceOf(TimeoutError);
    expect(ending).toMatchObject({ name: 'TimeoutError', message: 'no answer within 100 ms', limitMs: 100 });
    expect(given.map((own) => own.aborted)).toEqual([true]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('a call that rejects because of that abort ends with the error of the deadline', async () => {
    const clock = createManualClock();
    const { signal } = new AbortController();
    const waiting = withDeadline(
      { clock, limitMs: 100, late, signal },
      (own) =>
        new Promise<never>((_resolve, reject) => {
          own.addEventListener('abort', () => reject(new Error('AbortError of the library')));
        }),
    );
    const rejection = rejectionOf(waiting);
    await clock.advance(100);
    expect(await rejection).toBeInstanceOf(TimeoutError);
  });

  test.each([
    ['an error', new Error('lease lost')],
    ['a plain value', 'shutting down'],
  ])('an abort with %s as reason rejects with it at once and unchanged', async (_what, reason) => {
    const clock = createManualClock();
    const caller = new AbortController();
    const waiting = withDeadline({ clock, limitMs: 100, late, signal: caller.signal }, never);
    const rejection = rejectionOf(waiting);
    caller.abort(reason);
    expect(await rejection).toBe(reason);
    expect(clock.pendingMs()).toEqual([]);
  });

  test('an aborted signal prevents the call', async () => {
    const clock = createManualClock();
    const reason = new Error('lease lost');
    let calls = 0;
    const waiting = withDeadline({ clock, limitMs: 100, late, signal: AbortSignal.abort(reason) }, async () => {
      calls += 1;
    });
    await expect(waiting).rejects.toBe(reason);
    expect(calls).toBe(0);
    expect(clock.pendingMs()).toEqual([]);
  });
});

describe('many deadlines on one long-lived signal', () => {
  const warnings: Error[] = [];
  const remember = (warning: Error): void => void warnings.push(warning);
  beforeEach(() => process.on('warning', remember));
  afterEach(() => {
    process.off('warning', remember);
    warnings.length = 0;
  });

  test('many deadlines on one signal raise no warning, and all end with the abort', async () => {
    const clock = createManualClock();
    const caller = new AbortController();
    const waiting = Array.from({ length: 64 }, () =>
      withDeadline({ clock, limitMs: 100, late, signal: caller.signal }, never),
    );
    const rejections = Promise.all(waiting.map(rejectionOf));
    await clock.advance(0);
    const reason = new Error('lease lost');
    caller.abort(reason);
    expect(new Set(await rejections)).toEqual(new Set([reason]));
    // Warnings are raised on a later turn of the event loop.
    await clock.advance(0);
    expect(warnings).toEqual([]);
    expect(getEventListeners(caller.signal, 'abort')).toEqual([]);
  });
});
