/** What retention needs to know of a stopped record; read in the database, by its clock. */
export interface RetentionFacts {
  /** Milliseconds since `stopped_at` (since `last_op_at` where that is null). Negative: stopped in the future. */
  readonly stoppedForMs: number;
  /** A retention hold keeps this game's container from `auto_ttl`. */
  readonly held: boolean;
}

export type Dueness = 'due' | 'not_due' | 'held';

/**
 * Whether retention may remove a stopped record's container. The only predicate for that: the sweep plans by it, and each
 * of its jobs applies it again under the lease. It stands alone because `retention` and `cleanup` must not import each other.
 */
export function duenessOf({ stoppedForMs, held }: RetentionFacts, retentionMs: number): Dueness {
  if (held) return 'held';
  return stoppedForMs >= retentionMs ? 'due' : 'not_due';
}
