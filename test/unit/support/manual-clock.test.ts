import { expect, test } from 'vitest';
import { createManualClock } from '../../support/manual-clock.js';

test('timers fire in order of their due time, each at its own time', async () => {
  const clock = createManualClock();
  const origin = clock.monotonicMs();
  const fired: [string, number][] = [];
  const note = (name: string) => () => void fired.push([name, clock.monotonicMs() - origin]);
  clock.after(30, note('late'));
  clock.after(10, note('early'));
  clock.after(10, note('early too'));
  await clock.advance(9);
  expect(fired).toEqual([]);
  await clock.advance(100);
  expect(fired).toEqual([
    ['early', 10],
    ['early too', 10],
    ['late', 30],
  ]);
  expect(clock.monotonicMs() - origin).toBe(109);
});

test('a timer that an awaiting function sets between two others fires in its turn', async () => {
  const clock = createManualClock();
  const fired: string[] = [];
  const pause = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
  const loop = async () => {
    for (const name of ['first', 'second', 'third']) {
      await pause(10);
      await Promise.resolve();
      fired.push(name);
    }
  };
  clock.after(25, () => fired.push('between'));
  const done = loop();
  await clock.advance(30);
  await done;
  expect(fired).toEqual(['first', 'second', 'between', 'third']);
});

test('a cancelled timer never fires', async () => {
  const clock = createManualClock();
  const cancel = clock.after(5, () => expect.unreachable('it was cancelled'));
  expect(clock.pendingMs()).toEqual([5]);
  cancel();
  expect(clock.pendingMs()).toEqual([]);
  await clock.advance(10);
});

test('the wall clock moves with time, and monotonic time does not change when it is set back', async () => {
  const clock = createManualClock({ startAt: '2026-03-01T12:00:00.000Z' });
  await clock.advance(1500);
  expect(clock.now().toISOString()).toBe('2026-03-01T12:00:01.500Z');
  const before = clock.monotonicMs();
  clock.shiftWall(-3_600_000);
  expect(clock.now().toISOString()).toBe('2026-03-01T11:00:01.500Z');
  expect(clock.monotonicMs()).toBe(before);
});
