import type { Clock } from '../../../async/clock.js';
import type { JobQueue, QueueBackend } from '../store/queue-store.js';
import { makeSchedule, readSchedule, type StoredSchedule } from './ensure-schedule.js';
import { SWEEP_SCHEDULER } from '../names.js';

/** Waiting for a slot takes one interval; what has waited for two was given a slot by a clock that was ahead. */
const INTERVALS_ALLOWED = 2;

interface Deps {
  readonly queue: JobQueue;
  readonly backend: Pick<QueueBackend, 'exclusively'>;
  readonly clock: Clock;
}

export interface StandstillWatch {
  /** To be called again and again. Resolves to whether the schedule stood still and was made anew. */
  readonly look: () => Promise<boolean>;
}

/**
 * A schedule goes from sweep to sweep: whoever claims one adds the next, at a time of its own clock. So a schedule that
 * is there may still stand still: its job was lost, or its slot is a day away because a clock was a day ahead. Both show
 * in a slot that does not move, measured by the monotonic clock of whoever looks; no two wall clocks are compared.
 */
export function createStandstillWatch({ queue, backend, clock }: Deps): StandstillWatch {
  let seen = { nextMs: Number.NaN, sinceMs: 0 };

  async function look(): Promise<boolean> {
    const schedule = await readSchedule(queue);
    if (schedule === undefined) return false;
    const nowMs = clock.monotonicMs();
    if (schedule.nextMs !== seen.nextMs) {
      seen = { nextMs: schedule.nextMs, sinceMs: nowMs };
      return false;
    }
    return (await standsStill(queue, schedule, nowMs - seen.sinceMs)) && restart(schedule);
  }

  /** Its interval is kept: it may be that of a newer version of this service. */
  const restart = ({ nextMs }: StoredSchedule): Promise<boolean> =>
    backend.exclusively(SWEEP_SCHEDULER, async () => {
      const schedule = await readSchedule(queue);
      if (schedule?.nextMs !== nextMs || !(await queue.removeJobScheduler(SWEEP_SCHEDULER))) return false;
      await makeSchedule(queue, schedule.everyMs);
      return true;
    });

  return { look };
}

async function standsStill(queue: JobQueue, { everyMs, nextMs }: StoredSchedule, unmovedMs: number): Promise<boolean> {
  const state = await queue.getJobState(`repeat:${SWEEP_SCHEDULER}:${nextMs}`);
  // Claimed, and the one that claimed it has not added the next.
  if (state === 'completed' || state === 'failed' || state === 'unknown') return true;
  if (state !== 'delayed' || unmovedMs <= INTERVALS_ALLOWED * everyMs) return false;
  // Behind a long sweep it waits for its turn.
  return (await queue.getActiveCount()) === 0;
}
