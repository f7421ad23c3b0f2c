/** The result of an audit: one report for each invariant, with the findings that break it. */

export const INVARIANTS = [
  'removed_has_row',
  'row_has_removal',
  'removed_is_gone',
  'container_has_record',
  'engine_is_same',
  'lease_has_end',
  'active_has_worker',
  'dead_letter_has_reason',
] as const;
export type InvariantName = (typeof INVARIANTS)[number];

const PROMISES: Readonly<Record<InvariantName, string>> = {
  removed_has_row: 'every record that a cleanup removed has the success row written with it',
  row_has_removal: 'every success row belongs to a removal of its record',
  removed_is_gone: 'the container of a removed record does not exist',
  container_has_record: 'every container with the label of this service is named by a live record',
  engine_is_same: 'every engine is the one that owns the containers of its records, and has them',
  lease_has_end: 'every game lease ends by itself, within an hour',
  active_has_worker: 'every active job has a worker that holds its lock',
  dead_letter_has_reason: 'every dead letter says why, and the operation log says so too',
};

/** Breaks an invariant, or cannot be distinguished from a case that does; a field is null where it does not apply. */
export interface Finding {
  /** `warning`: allowed by the contract, or another service's business, but an operator should look at it. */
  readonly severity: 'broken' | 'warning';
  readonly gameId: string | null;
  readonly jobId: string | null;
  readonly containerId: string | null;
  readonly what: string;
  /** What the operator should do. */
  readonly advice: string;
}

export interface InvariantReport {
  readonly name: InvariantName;
  readonly promise: string;
  /** `unknown`: nothing broken was found, but not everything could be checked; `reason` says why. */
  readonly status: 'holds' | 'broken' | 'unknown';
  /** How many records, containers, leases or jobs were judged. */
  readonly checked: number;
  /** How many findings there are of each severity; `findings` holds the first of them. */
  readonly broken: number;
  readonly warnings: number;
  readonly reason: string | null;
  readonly findings: readonly Finding[];
  /** What the stored data does not show. */
  readonly notes: readonly string[];
}

/** Enough to see what is wrong; a hundred thousand findings would fill the memory. */
const FINDINGS_KEPT = 1_000;

/** Collects what the check of one invariant finds. */
export interface Tally {
  readonly judged: (count: number) => void;
  readonly found: (finding: Finding) => void;
  readonly note: (text: string) => void;
  /** Something could not be checked; the first reason is kept. */
  readonly markUnknown: (reason: string) => void;
  readonly report: () => InvariantReport;
}

export function createTally(name: InvariantName): Tally {
  let checked = 0;
  const counts = { broken: 0, warning: 0 };
  let reason: string | null = null;
  const findings: Finding[] = [];
  const notes: string[] = [];
  return {
    judged: (count) => {
      checked += count;
    },
    found: (finding) => {
      counts[finding.severity] += 1;
      if (findings.length < FINDINGS_KEPT) findings.push(finding);
    },
    note: (text) => {
      notes.push(text);
    },
    markUnknown: (why) => {
      // Libraries write headings and blank lines before their message.
      reason ??= why.trim().replaceAll(/\s*\n\s*/g, ' ');
    },
    report: () => ({
      name,
      promise: PROMISES[name],
      status: counts.broken > 0 ? 'broken' : reason === null ? 'holds' : 'unknown',
      checked,
      broken: counts.broken,
      warnings: counts.warning,
      reason,
      findings,
      notes,
    }),
  };
}
