import { describe, expect, it } from 'vitest';
import { DemoError, eachOf, holdsWithin, untilTrue } from '../../../demo/wait-until.js';
import { createManualClock, type ManualClock } from '../../support/manual-clock.js';

const unstopped = new AbortController().signal;
const condition = { what: 'the end', everyMs: 10, withinMs: 100 };

/** Lets time pass until `done` settles. */
async function passTime<T>(clock: ManualClock, done: Promise<T>): Promise<T> {
  const seen = { settled: false };
  const settle = (): void => void (seen.settled = true);
  done.then(settle, settle);
  for (let step = 0; step < 1_000 && !seen.settled; step++) await clock.advance(1);
  return done;
}

describe('waiting for a condition', () => {
  it('ends as soon as it holds', async () => {
    const clock = createManualClock();
    const answers = [false, false, true];
    const held = await passTime(
      clock,
      holdsWithin({ clock, signal: unstopped }, condition, async () => answers.shift() ?? false),
    );
    expect([held, answers]).toEqual([true, []]);
  });

  it('ends when the time is over, having asked to the last', async () => {
    const clock = createManualClock();
    let asked = 0;
    const patience = { clock, signal: unstopped };
    const never = async (): Promise<boolean> => {
      asked += 1;
      return false;
    };
    expect(await passTime(clock, holdsWithin(patience, condition, never))).toBe(false);
    expect(asked).toBeGreaterThanOrEqual(10);
    const waited = passTime(clock, untilTrue(patience, condition, never));
    await expect(waited).rejects.toThrow(new DemoError('the end took longer than 0.1 s'));
  });

  it('ends with the reason of an abort', async () => {
    const clock = createManualClock();
    const stop = new AbortController();
    const reason = new Error('stopped');
    const waiting = holdsWithin({ clock, signal: stop.signal }, condition, async () => {
      stop.abort(reason);
      return false;
    });
    await expect(waiting).rejects.toBe(reason);
  });
});

describe('work on each of many', () => {
  it('is done for all, never more than the limit at a time', async () => {
    let [active, most] = [0, 0];
    const done: number[] = [];
    await eachOf([1, 2, 3, 4, 5], 2, unstopped, async (item) => {
      active += 1;
      most = Math.max(most, active);
      await Promise.resolve();
      active -= 1;
      done.push(item);
    });
    expect(done).toEqual([1, 2, 3, 4, 5]);
    expect(most).toBe(2);
  });

  it('begins nothing new after a failure, and waits for what was begun before it says so', async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const failing = eachOf([1, 2, 3, 4], 2, unstopped, async (item) => {
      begun.push(item);
      if (item === 1) throw new Error('one failed');
      for (let step = 0; step < 10; step++) await Promise.resolve();
      ended.push(item);
    });
    await expect(failing).rejects.toThrow('one failed');
    expect([begun, ended]).toEqual([[1, 2], [2]]);
  });

  it('begins nothing new after an abort', async () => {
    const stop = new AbortController();
    const begun: number[] = [];
    const reason = new Error('stopped');
    const stopped = eachOf([1, 2, 3], 1, stop.signal, async (item) => {
      begun.push(item);
      stop.abort(reason);
    });
    await expect(stopped).rejects.toBe(reason);
    expect(begun).toEqual([1]);
  });
});
