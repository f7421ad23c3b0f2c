import { beforeEach, describe, expect, it } from 'vitest';
import type { JobQueue } from '../../../../../src/adapters/bullmq/store/queue-store.js';
import {
  createScheduleWatchdog,
  type ScheduleWatchdog,
} from '../../../../../src/adapters/bullmq/sweeps/stalled-schedule.js';
import { createManualClock, type ManualClock } from '../../../../support/manual-clock.js';

const EVERY_MS = 60_000;

describe('the watchdog of a schedule', () => {
  let clock: ManualClock;
  let watchdog: ScheduleWatchdog;
  let next: number;
  let state: string;
  let active: number;
  let done: string[];
  let whileLocked: () => void;

  beforeEach(() => {
    clock = createManualClock();
    next = 1_000;
    state = 'delayed';
    active = 0;
    done = [];
    whileLocked = () => undefined;
    const stub = {
      getJobScheduler: async () => ({ key: 'auto-ttl', name: 'sweep', every: EVERY_MS, next }),
      getJobState: async () => state,
      getActiveCount: async () => active,
      removeJobScheduler: async (id: string) => done.push(`removed ${id}`) > 0,
      upsertJobScheduler: async (id: string, { every }: { every: number }) => done.push(`made ${id} ${every}`),
    };
    watchdog = createScheduleWatchdog({
      queue: stub as unknown as JobQueue,
      backend: {
        withScheduleLock: (work) => {
          whileLocked();
          return work();
        },
      },
      clock,
    });
  });

  const lookAfter = async (ms: number): Promise<boolean> => {
    await watchdog.check();
    clock.skip(ms);
    return watchdog.check();
  };

  it.each([
    ['waits for its slot', false, 'delayed', 2 * EVERY_MS, 0],
    ['has waited for longer than two intervals', true, 'delayed', 2 * EVERY_MS + 1, 0],
    ['waits behind a long sweep', false, 'delayed', 10 * EVERY_MS, 1],
    ['waits in a queue that is paused', false, 'waiting', 10 * EVERY_MS, 0],
    ['has just been claimed', false, 'active', 15_000, 1],
    ['ended without a successor', true, 'completed', 15_000, 0],
    ['failed without a successor', true, 'failed', 15_000, 0],
    ['is gone', true, 'unknown', 15_000, 0],
  ])('a schedule whose job %s is restarted: %s', async (_what, restarted, found, unmovedMs, running) => {
    state = found;
    active = running;
    expect(await lookAfter(unmovedMs)).toBe(restarted);
    expect(done).toEqual(restarted ? ['removed auto-ttl', `made auto-ttl ${EVERY_MS}`] : []);
  });

  it('the stall time counts from the last change of the schedule', async () => {
    await lookAfter(2 * EVERY_MS);
    next += EVERY_MS;
    expect(await lookAfter(2 * EVERY_MS)).toBe(false);
  });

  it('the watchdog does nothing at its first check, nor when the schedule changes before it has the lock', async () => {
    state = 'unknown';
    expect(await watchdog.check()).toBe(false);
    whileLocked = () => void (next += EVERY_MS);
    expect(await watchdog.check()).toBe(false);
    expect(done).toEqual([]);
  });

  it('a change of the wall clock has no effect on the watchdog', async () => {
    await watchdog.check();
    clock.shiftWall(24 * 3_600_000);
    clock.skip(15_000);
    expect(await watchdog.check()).toBe(false);
  });
});
