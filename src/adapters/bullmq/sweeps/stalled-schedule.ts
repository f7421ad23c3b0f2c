import type { Clock } from '../../../async/clock.js';
import type { JobQueue, QueueStore } from '../store/queue-store.js';
import { createSchedule, readSchedule, type StoredSchedule } from './ensure-schedule.js';
import { SWEEP_SCHEDULER } from '../names.js';

/** A job waits one interval for its slot; one that has waited two got its slot from a clock that was ahead. */
const INTERVALS_ALLOWED = 2;

interface Deps {
  readonly queue: JobQueue;
  readonly backend: Pick<QueueStore, 'withScheduleLock'>;
  readonly clock: Clock;
}

export interface ScheduleWatchdog {
  /** Call it repeatedly. Resolves to whether the schedule no longer moved and was created again. */
  readonly check: () => Promise<boolean>;
}

/**
 * Finds a schedule that exists but no longer moves. The worker that claims a sweep adds the next one, at a time of its own
 * clock. The schedule stops when that job is lost, and is late when that clock was ahead, for example by a day. In both cases
 * the slot does not change; this is measured with the monotonic clock of this process, so no two wall clocks are compared.
 */
export function createScheduleWatchdog({ queue, backend, clock }: Deps): ScheduleWatchdog {
  let seen = { nextMs: Number.NaN, sinceMs: 0 };

  async function check(): Promise<boolean> {
    const schedule = await readSchedule(queue);
    if (schedule === undefined) return false;
    const nowMs = clock.monotonicMs();
    if (schedule.nextMs !== seen.nextMs) {
      seen = { nextMs: schedule.nextMs, sinceMs: nowMs };
      return false;
    }
    return (await isStalled(queue, schedule, nowMs - seen.sinceMs)) && restart(schedule);
  }

  /** Keeps the interval, because it may be the setting of a newer process. */
  const restart = ({ nextMs }: StoredSchedule): Promise<boolean> =>
    backend.withScheduleLock(async () => {
      const schedule = await readSchedule(queue);
      if (schedule?.nextMs !== nextMs || !(await queue.removeJobScheduler(SWEEP_SCHEDULER))) return false;
      await createSchedule(queue, schedule.everyMs);
      return true;
    });

  return { check };
}

async function isStalled(queue: JobQueue, { everyMs, nextMs }: StoredSchedule, unmovedMs: number): Promise<boolean> {
  const state = await queue.getJobState(`repeat:${SWEEP_SCHEDULER}:${nextMs}`);
  // The job was claimed, but its worker has not added the next one.
  if (state === 'completed' || state === 'failed' || state === 'unknown') return true;
  if (state !== 'delayed' || unmovedMs <= INTERVALS_ALLOWED * everyMs) return false;
  // While a long sweep runs, the next one waits for its turn.
  return (await queue.getActiveCount()) === 0;
}
