import { judgeAll, planPage } from './plan.js';
import type { Judgement, Retention, RetentionSummary } from './retention.js';
import { shareRefusal } from './sweep-limit.js';
import { type RetentionSettings, sweep, type SweepDeps } from './sweep.js';

/**
 * The retention plan and its sweep. Both judge each record by the same function on what the database says at one moment
 * of its clock; so does the question for single games.
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
