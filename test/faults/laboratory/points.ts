/** The places in a job's course where a worker is killed or frozen: before and after each of its steps. */
import type { Point } from './step-control.js';

export interface NamedPoint extends Point {
  readonly name: string;
  /** Whether the game's lease is held there. */
  readonly underLease: boolean;
}

const around = (what: string, step: string, [before, after]: readonly [boolean, boolean]): readonly NamedPoint[] => [
  { name: `before ${what}`, step, at: 'start', underLease: before },
  { name: `after ${what}`, step, at: 'end', underLease: after },
];

/** In the order in which a job comes by them. */
export const POINTS: readonly NamedPoint[] = [
  { name: 'job claimed', step: 'job run', at: 'start', underLease: false },
  ...around('the lease', 'lease acquire', [false, true]),
  ...around('the load', 'take runtime_records', [true, true]),
  ...around('the look', 'container look', [true, true]),
  ...around('the removal', 'container remove', [true, true]),
  ...around('the compare-and-set', 'mark_removed runtime_records', [true, true]),
  ...around('the release', 'lease release', [true, false]),
  ...around('the job is finished', 'job settle', [false, false]),
];
