import { judgeAll, type PlanFilter, type PlanPage, planPage } from './plan.js';
import type { Census, SweepReport } from './ports.js';
import type { Judgement } from './judge-record.js';
import { shareRefusal } from './sweep-limit.js';
import { type RetentionSettings, sweep, type SweepDeps, type SweepOptions } from './sweep.js';

export interface RetentionSummary extends Omit<Census, 'excepted'> {
  readonly retentionMs: number;
  /** Records past due and not held whose game's cleanup is a dead letter. */
  readonly deadLetters: number;
  /** Whether a sweep would refuse to enqueue so many, and why. */
  readonly refusal: string | null;
}

/** The retention plan and its sweep. Members reject with `UnavailableError` in an outage of database or queue. */
export interface Retention {
  /** Rejects with `InvalidPageError` for a cursor or limit that cannot be. */
  readonly plan: (filter: PlanFilter) => Promise<PlanPage>;
  /** How the sweep judges these games; unknown games are left out. */
  readonly judge: (gameIds: readonly string[]) => Promise<ReadonlyMap<string, Judgement>>;
  readonly summary: () => Promise<RetentionSummary>;
  /** Enqueues what is due. Rejects with the signal's reason when it is aborted; what was enqueued stays. */
  readonly sweep: (options: SweepOptions) => Promise<SweepReport>;
}

/**
 * Plan, sweep and the judgement of single games judge each record by the same function, on what the database says at one
 * moment of its clock.
 */
export function createRetention(deps: SweepDeps, settings: RetentionSettings): Retention {
  return {
    plan: (filter) => planPage(deps, settings.retentionMs, filter),
    judge: (gameIds) => judgeGames(deps, settings.retentionMs, gameIds),
    summary: () => summarise(deps, settings),
    sweep: (options) => sweep(deps, settings, options),
  };
}

type ReadingDeps = Pick<SweepDeps, 'records' | 'deadLetters'>;

async function judgeGames(
  { records, deadLetters }: ReadingDeps,
  retentionMs: number,
  gameIds: readonly string[],
): Promise<ReadonlyMap<string, Judgement>> {
  const found = await records.find(gameIds);
  const dead = await deadLetters.among(found.records.map(({ gameId }) => gameId));
  return new Map(judgeAll(found.records, dead, retentionMs).map((judgement) => [judgement.gameId, judgement]));
}

async function summarise(
  { records, deadLetters }: ReadingDeps,
  { retentionMs, maxShare }: RetentionSettings,
): Promise<RetentionSummary> {
  const dead = await deadLetters.among('all');
  const { excepted, ...census } = await records.census(retentionMs, [...dead.keys()]);
  const refusal = shareRefusal({ stopped: census.stopped, planned: census.due, maxShare, retentionMs });
  return { ...census, retentionMs, deadLetters: excepted, refusal };
}
