import { enqueueAll, type EnqueueOptions } from './enqueue.js';
import { judgeAll } from './plan.js';
import type {
  Census,
  CleanupRequests,
  DeadLetterGames,
  FinishedSweep,
  RetentionPosition,
  RetentionRecord,
  RetentionRecords,
  SweepLock,
  SweepObserver,
  SweepReport,
} from './ports.js';
import type { RetentionVerdict } from './judge-record.js';
import { shareRefusal } from './sweep-limit.js';

export interface SweepOptions extends EnqueueOptions {
  /** Overrides the configured share for this sweep. */
  readonly maxShare?: number | undefined;
}

export interface SweepDeps {
  readonly records: RetentionRecords;
  readonly deadLetters: DeadLetterGames;
  readonly requests: CleanupRequests;
  readonly lock: SweepLock;
  readonly observer: SweepObserver;
}

export interface RetentionSettings {
  readonly retentionMs: number;
  /** The share of the stopped records that one sweep may take. */
  readonly maxShare: number;
}

const PAGE_RECORDS = 2_000;

/**
 * One sweep, unless another one runs: plan the whole sweep, check its size, then enqueue it. A cleanup that was under way
 * may end between plan and enqueueing; its game is then enqueued once more, and that job finds the record removed.
 */
export async function sweep(deps: SweepDeps, settings: RetentionSettings, options: SweepOptions): Promise<SweepReport> {
  options.signal.throwIfAborted();
  const ending = await deps.lock.exclusively(() => sweepAlone(deps, settings, options));
  const report: SweepReport = ending === 'busy' ? { status: 'busy' } : ending;
  deps.observer.ended(report);
  return report;
}

async function sweepAlone(
  deps: SweepDeps,
  { retentionMs, maxShare: configuredShare }: RetentionSettings,
  options: SweepOptions,
): Promise<FinishedSweep> {
  const { census, gameIds, kept } = await planSweep(deps, retentionMs, options.signal);
  const maxShare = options.maxShare ?? configuredShare;
  const planned = gameIds.length;
  // The pages are read after the census; they may hold a record that it did not know.
  const stopped = Math.max(census.stopped, planned + kept.held + kept.dead_letter + kept.invalid_id);
  const facts = { asOf: census.asOf.toISOString(), stopped, planned, kept };
  const reason = shareRefusal({ stopped, planned, maxShare, retentionMs });
  const finishedAt = async (): Promise<string> => (await deps.records.now()).toISOString();
  if (reason !== null) return { ...facts, status: 'refused', maxShare, reason, finishedAt: await finishedAt() };
  const tally = await enqueueAll(deps, gameIds, options);
  return { ...facts, status: 'done', ...tally, finishedAt: await finishedAt() };
}

interface SweepPlan {
  readonly census: Census;
  /** The games that are due, oldest first. */
  readonly gameIds: readonly string[];
  readonly kept: FinishedSweep['kept'];
}

/** Everything that is due at one moment of the database's clock; changes nothing. */
async function planSweep(
  { records, deadLetters }: Pick<SweepDeps, 'records' | 'deadLetters'>,
  retentionMs: number,
  signal: AbortSignal,
): Promise<SweepPlan> {
  const dead = await deadLetters.among('all');
  const census = await records.census(retentionMs, []);
  const gameIds: string[] = [];
  const kept = { held: 0, dead_letter: 0, invalid_id: 0 };
  for await (const page of duePages(records, census.asOf, retentionMs)) {
    signal.throwIfAborted();
    for (const { gameId, verdict } of judgeAll(page, dead, retentionMs)) {
      if (verdict === 'due') gameIds.push(gameId);
      else if (isKept(verdict)) kept[verdict] += 1;
    }
  }
  return { census, gameIds, kept };
}

async function* duePages(
  records: RetentionRecords,
  asOf: Date,
  retentionMs: number,
): AsyncGenerator<readonly RetentionRecord[]> {
  let after: RetentionPosition | null = null;
  for (;;) {
    const page: readonly RetentionRecord[] = await records.stopped({
      asOf,
      stoppedForMs: retentionMs,
      after,
      limit: PAGE_RECORDS,
    });
    yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_RECORDS) return;
    after = last.position;
  }
}

const isKept = (verdict: RetentionVerdict): verdict is keyof FinishedSweep['kept'] =>
  verdict === 'held' || verdict === 'dead_letter' || verdict === 'invalid_id';
