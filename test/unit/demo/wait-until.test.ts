import { describe, expect, it } from 'vitest';
import { DemoError } from '../../../demo/errors.js';
import { becomesTrue, waitUntil } from '../../../demo/wait-until.js';
import { createManualClock, type ManualClock } from '../../support/manual-clock.js';

const { signal } = new AbortController();
const condition = { what: 'the end', everyMs: 10, withinMs: 100 };

/** Advances the clock until `done` settles. */
async function passTime<T>(clock: ManualClock, done: Promise<T>): Promise<T> {
  const seen = { settled: false };
  const settle = (): void => void (seen.settled = true);
  done.then(settle, settle);
  for (let step = 0; step < 1_000 && !seen.settled; step++) await clock.advance(1);
  return done;
}

describe('waiting for a condition', () => {
  it('a wait ends as soon as the condition is true', async () => {
    const clock = createManualClock();
    const answers = [false, false, true];
    const isTrue = async () => answers.shift() ?? false;
    expect([await passTime(clock, becomesTrue({ clock, signal }, condition, isTrue)), answers]).toEqual([true, []]);
  });

  it('a wait ends with false or with an error at its time limit', async () => {
    const clock = createManualClock();
    let checks = 0;
    const neverTrue = async (): Promise<boolean> => {
      checks += 1;
      return false;
    };
    expect(await passTime(clock, becomesTrue({ clock, signal }, condition, neverTrue))).toBe(false);
    expect(checks).toBeGreaterThanOrEqual(10);
    const waiting = passTime(clock, waitUntil({ clock, signal }, condition, neverTrue));
    await expect(waiting).rejects.toThrow(new DemoError('the end took longer than 0.1 s'));
  });

  it('a wait ends with the reason of an abort', async () => {
    const clock = createManualClock();
    const stop = new AbortController();
    const reason = new Error('stopped');
    const waiting = becomesTrue({ clock, signal: stop.signal }, condition, async () => {
      stop.abort(reason);
      return false;
    });
    await expect(waiting).rejects.toBe(reason);
  });

  it('a wait ends with the error of its condition', async () => {
    const clock = createManualClock();
    const waiting = becomesTrue({ clock, signal }, condition, async () => {
      throw new DemoError('the service process exited');
    });
    await expect(waiting).rejects.toThrow('the service process exited');
  });
});
