import { DAY_MS } from '../domain/time.js';

/** With fewer stopped records than this, any share of them may be due: of a few records all can be due on one day. */
const SMALLEST_POPULATION = 10;

export interface ShareFacts {
  readonly stopped: number;
  /** How many of them a sweep would take. */
  readonly planned: number;
  readonly maxShare: number;
  readonly retentionMs: number;
}

/**
 * The limit of a sweep: why it must not enqueue so many, or null when it may. A mistyped retention makes nearly every
 * stopped record due at once, which an ordinary day never does.
 */
export function shareRefusal({ stopped, planned, maxShare, retentionMs }: ShareFacts): string | null {
  if (stopped < SMALLEST_POPULATION) return null;
  const allowed = largestShare(stopped, maxShare);
  // Written so that NaN as a share refuses.
  if (planned <= allowed) return null;
  const neededPercent = Math.ceil((100 * planned) / stopped);
  return (
    `${planned} of ${stopped} stopped records are due, ${allowed} at most may be (${percent(maxShare)}), so nothing is ` +
    `enqueued; is the retention of ${Number((retentionMs / DAY_MS).toFixed(5))} days right? If so, allow the share once ` +
    `with "runtime-cleanup sweep --max-share ${neededPercent}%" or for good with ` +
    `RTMANAGER_SWEEP_MAX_SHARE=${neededPercent}%`
  );
}

/** Decimal shares have no exact binary form: 29 % of 100 must be 29. */
const largestShare = (stopped: number, maxShare: number): number => Math.floor(stopped * maxShare + 1e-6);

const percent = (share: number): string => `${Number((100 * share).toFixed(4))}%`;
