import type { Page } from '../domain/pages.js';
import type { Hold } from './holds.js';
import type { Census, DeadLetterOf, SweepReport } from './ports.js';

export const RETENTION_VERDICTS = [
  'due',
  'not_due',
  'held',
  'dead_letter',
  'invalid_id',
  'running',
  'removed',
  'unsupported_status',
] as const;
/**
 * What the sweep makes of a record. `invalid_id`: the game id in the record is none by the contract, so a job for it would
 * be refused, or name another game once it is trimmed.
 */
export type RetentionVerdict = (typeof RETENTION_VERDICTS)[number];

export interface Judgement {
  readonly gameId: string;
  readonly status: string;
  readonly containerId: string | null;
  readonly verdict: RetentionVerdict;
  /** When the retention clock of a stopped record started; null for any other. */
  readonly stoppedSince: Date | null;
  /** When the sweep takes it as things stand, past or future; null: never (not stopped, held for good, dead letter). */
  readonly dueAt: Date | null;
  readonly hold: Hold | null;
  readonly deadLetter: DeadLetterOf | null;
}

export interface PlanFilter {
  /** Also the stopped records whose time has not come. */
  readonly includeNotDue: boolean;
  /** `next` of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** One page of the plan, oldest first. */
export interface PlanPage extends Page<Judgement> {
  readonly asOf: Date;
}

export interface RetentionSummary extends Omit<Census, 'excepted'> {
  readonly retentionMs: number;
  /** Records past due and not held whose game's cleanup is a dead letter. */
  readonly deadLetters: number;
  /** Whether a sweep would refuse to enqueue so many, and why. */
  readonly refusal: string | null;
}

export interface SweepOptions {
  /** Overrides the configured share for this sweep. */
  readonly maxShare?: number | undefined;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  readonly signal: AbortSignal;
}

/** The retention plan and its sweep. Members reject with `UnavailableError` in an outage of database or queue. */
export interface Retention {
  /** Rejects with `InvalidPageError` for a cursor or limit that cannot be. */
  readonly plan: (filter: PlanFilter) => Promise<PlanPage>;
  /** What the sweep makes of these games; unknown ones are left out. */
  readonly judge: (gameIds: readonly string[]) => Promise<ReadonlyMap<string, Judgement>>;
  readonly summary: () => Promise<RetentionSummary>;
  /** Enqueues what is due. Rejects with the signal's reason when it is aborted; what was enqueued stays. */
  readonly sweep: (options: SweepOptions) => Promise<SweepReport>;
}
