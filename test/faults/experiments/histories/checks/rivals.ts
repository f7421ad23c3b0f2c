/**
 * Jobs of one game that are live at the same time: a producer that does not deduplicate may add as many as it likes. One
 * that finds the game's lease with another has met a conflict, and becomes a dead letter when it has met as many as are allowed.
 */
import type { SeenJob } from '../../../laboratory/jobs.js';
import { LEASE_TTL_MS } from '../draw.js';
import type { History } from '../history.js';

interface Run {
  readonly jobId: string;
  readonly fromMs: number;
  /** Of a run that its worker did not survive: when the lease that it may have left behind is over. */
  readonly toMs: number;
  readonly isConflict: boolean;
}

/** Whether another job of the game was at work, and was not refused itself, each time when this one met a conflict. */
export function metRivalsOnly(history: History, { id, gameId }: Pick<SeenJob, 'id' | 'gameId'>): boolean {
  const runs = runsOf(history);
  const conflicts = runs.filter(({ jobId, isConflict }) => jobId === id && isConflict);
  const others = history.jobsSettled.filter((one) => one.gameId === gameId && one.id !== id);
  const rivals = new Set(others.map((one) => one.id));
  const atWork = runs.filter(({ jobId, isConflict }) => rivals.has(jobId) && !isConflict);
  return conflicts.length > 0 && conflicts.every((one) => atWork.some((other) => overlap(one, other)));
}

const overlap = (one: Run, other: Run): boolean => one.fromMs < other.toMs && other.fromMs < one.toMs;

function runsOf({ steps, startedNs, startedAt, notes }: History): readonly Run[] {
  const marks = steps.filter(({ step }) => step === 'job run').toSorted((a, b) => a.ns - b.ns);
  const sinceMs = (ns: number): number => (ns - startedNs) / 1e6;
  const lastSignOf = (pid: number): number => Math.max(...steps.filter((one) => one.pid === pid).map(({ ns }) => ns));
  return marks.flatMap(({ at, pid, ns, facts }, index): readonly Run[] => {
    const jobId = facts?.['job.id'];
    if (at !== 'start' || typeof jobId !== 'string') return [];
    const end = marks.slice(index + 1).find((one) => one.pid === pid && one.facts?.['job.id'] === jobId);
    const fromMs = sinceMs(ns);
    const toMs = end === undefined ? sinceMs(lastSignOf(pid)) + LEASE_TTL_MS : sinceMs(end.ns);
    const isConflict = notes.some((note) => {
      const noteMs = note.at.getTime() - startedAt.getTime();
      return note.jobId === jobId && note.became === 'conflict' && noteMs >= fromMs && noteMs <= toMs;
    });
    return [{ jobId, fromMs, toMs, isConflict }];
  });
}
