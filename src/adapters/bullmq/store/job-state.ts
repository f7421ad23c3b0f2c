import type { JobState } from '../../../jobs/ports.js';

/** Translates BullMQ's name of a job's state into this program's. */
export function jobStateOf(state: string): JobState {
  switch (state) {
    case 'waiting':
    case 'prioritized':
    case 'waiting-children':
      return 'waiting';
    case 'delayed':
    case 'active':
    case 'completed':
    case 'failed':
      return state;
    default:
      return 'unknown';
  }
}

/** How many jobs are in each state. */
export type QueueCounts = Readonly<Record<Exclude<JobState, 'unknown'>, number>>;

export function queueCountsOf(counts: Readonly<Record<string, number | undefined>>): QueueCounts {
  return {
    waiting: (counts['waiting'] ?? 0) + (counts['prioritized'] ?? 0) + (counts['waiting-children'] ?? 0),
    delayed: counts['delayed'] ?? 0,
    active: counts['active'] ?? 0,
    completed: counts['completed'] ?? 0,
    failed: counts['failed'] ?? 0,
  };
}
