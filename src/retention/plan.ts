import { type Page, pageOf, requireLimit } from '../domain/pages.js';
import { readPlanCursor, writePlanCursor } from './cursor.js';
import { judge } from './judge-record.js';
import type { DeadLetterGames, DeadLetterOf, RetentionRecord, RetentionRecords } from './ports.js';
import type { Judgement } from './judge-record.js';

export interface PlanFilter {
  /** Also the stopped records that are not due yet. */
  readonly includeNotDue: boolean;
  /** `next` of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** One page of the plan, oldest first. */
export interface PlanPage extends Page<Judgement> {
  readonly asOf: Date;
}

interface PlanDeps {
  readonly records: RetentionRecords;
  readonly deadLetters: DeadLetterGames;
}

/** One page of the plan. The pages after the first are judged by the moment of the first. */
export async function planPage(
  { records, deadLetters }: PlanDeps,
  retentionMs: number,
  { includeNotDue, after, limit }: PlanFilter,
): Promise<PlanPage> {
  requireLimit(limit);
  const cursor = after === undefined ? null : readPlanCursor(after);
  const asOf = cursor?.asOf ?? (await records.now());
  const found = await records.stopped({
    asOf,
    stoppedForMs: includeNotDue ? null : retentionMs,
    after: cursor?.after ?? null,
    limit: limit + 1,
  });
  const page = pageOf(found, limit, ({ position }) => writePlanCursor({ asOf, after: position }));
  const dead = await deadLetters.among(page.items.map(({ gameId }) => gameId));
  return { asOf, items: judgeAll(page.items, dead, retentionMs), next: page.next };
}

export function judgeAll(
  records: readonly RetentionRecord[],
  dead: ReadonlyMap<string, DeadLetterOf>,
  retentionMs: number,
): readonly Judgement[] {
  return records.map((record) => judge({ record, deadLetter: dead.get(record.gameId) ?? null }, retentionMs));
}
