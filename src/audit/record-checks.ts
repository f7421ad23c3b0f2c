/** Each removal of a record must have a success row, and each success row a removal. */
import { judgeRemoved, judgeRow } from './judge-invariants.js';
import type { AuditedRecord, AuditRecords, RecordQuery } from './audit-ports.js';
import type { Tally } from './audit-report.js';

const PAGE_RECORDS = 1_000;

type Which = Pick<RecordQuery, 'gameId' | 'status'>;

/** Page by page, so that an audit never holds a hundred thousand records in memory. */
export async function* recordPages(
  records: Pick<AuditRecords, 'page'>,
  which: Which,
  signal: AbortSignal,
): AsyncGenerator<readonly AuditedRecord[]> {
  for (let after: string | null = null; ;) {
    signal.throwIfAborted();
    const page: readonly AuditedRecord[] = await records.page({ ...which, after, limit: PAGE_RECORDS });
    yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_RECORDS) return;
    after = last.gameId;
  }
}

interface Subject {
  readonly records: Pick<AuditRecords, 'page'>;
  readonly gameId: string | null;
  readonly signal: AbortSignal;
}

export async function checkRemovedHasRow({ records, gameId, signal }: Subject, tally: Tally): Promise<void> {
  let olderThanLog = 0;
  for await (const page of recordPages(records, { gameId, status: 'removed' }, signal)) {
    for (const record of page) {
      if (record.rowsOfRemoval === 0 && record.olderThanLog) {
        olderThanLog += 1;
        continue;
      }
      tally.judged(1);
      const finding = judgeRemoved(record);
      if (finding !== undefined) tally.found(finding);
    }
  }
  if (olderThanLog > 0) {
    tally.note(
      `${olderThanLog} were removed before the oldest row that the pruned log still has, so the log does not show how`,
    );
  }
}

export async function checkRowHasRemoval({ records, gameId, signal }: Subject, tally: Tally): Promise<void> {
  for await (const page of recordPages(records, { gameId, status: 'any' }, signal)) {
    for (const record of page) {
      if (record.newestRow === null) continue;
      tally.judged(1);
      for (const finding of judgeRow(record)) tally.found(finding);
    }
  }
}
