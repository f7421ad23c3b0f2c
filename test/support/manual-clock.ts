import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../src/async/clock.js';

export interface ManualClock extends Clock {
  /**
   * Moves time on by `ms`. Timers that fall due fire in order, each at its own time; before the first, between two and
   * after the last, promise jobs settle, so that a timer set by an awaiting function is seen.
   */
  readonly advance: (ms: number) => Promise<void>;
  /** Lets time pass without any timer firing, as for a process that is frozen; what is overdue fires at the next advance. */
  readonly skip: (ms: number) => void;
  /** Sets the wall clock forward or, with a negative number, back; monotonic time and timers do not notice. */
  readonly shiftWall: (ms: number) => void;
  /** How long until each pending timer fires, the next one first. */
  readonly pendingMs: () => readonly number[];
}

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly fn: () => void;
}

const bySchedule = (a: Timer, b: Timer): number => a.dueMs - b.dueMs || a.order - b.order;

// One turn of the event loop runs every promise job that waits on nothing but promises.
const settle = async (): Promise<void> => {
  await nextTurn();
};

/** A clock that stands still until it is told to move. */
export const createManualClock = ({ startAt = '2026-01-01T00:00:00.000Z' } = {}): ManualClock => {
  // Far from zero, so that no code can rely on an origin.
  let monotonicMs = 1_000_000;
  let wallOffsetMs = Date.parse(startAt) - monotonicMs;
  let created = 0;
  const timers = new Set<Timer>();
  const nextDue = (untilMs: number): Timer | undefined =>
    [...timers].filter((timer) => timer.dueMs <= untilMs).sort(bySchedule)[0];

  const advance = async (ms: number): Promise<void> => {
    const targetMs = monotonicMs + ms;
    await settle();
    for (let timer = nextDue(targetMs); timer !== undefined; timer = nextDue(targetMs)) {
      timers.delete(timer);
      monotonicMs = Math.max(monotonicMs, timer.dueMs);
      timer.fn();
      await settle();
    }
    monotonicMs = targetMs;
  };

  return {
    now: () => new Date(monotonicMs + wallOffsetMs),
    monotonicMs: () => monotonicMs,
    after: (delayMs, fn) => {
      created += 1;
      const timer = { dueMs: monotonicMs + Math.max(0, delayMs), order: created, fn };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    advance,
    skip: (ms) => {
      monotonicMs += ms;
    },
    shiftWall: (ms) => {
      wallOffsetMs += ms;
    },
    pendingMs: () => [...timers].sort(bySchedule).map((timer) => timer.dueMs - monotonicMs),
  };
};
