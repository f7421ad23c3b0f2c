import { InvalidPageError } from '../../../src/domain/errors.js';
import { pageOf, requireLimit } from '../../../src/domain/pages.js';
import type { RecordQueries } from '../../../src/domain/record-queries.js';
import type { PlatformState } from './state.js';

export const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

/** Throws for a cursor that the listing by game id never gave. */
export function requireGameIdCursor(after: string | undefined): void {
  if (after !== undefined && !isStorable(after)) throw new InvalidPageError('the cursor is no game id');
}

export const byGameId = (a: { readonly gameId: string }, b: { readonly gameId: string }): number =>
  Buffer.compare(Buffer.from(a.gameId), Buffer.from(b.gameId));

const OPERATION_ID_MAX = 2n ** 63n - 1n;

export function createFakeRecordQueries({ records, operations }: PlatformState): RecordQueries {
  return {
    listRecords: async ({ status, after, limit }) => {
      requireLimit(limit);
      requireGameIdCursor(after);
      const found = [...records.values()]
        .filter((record) => status === undefined || record.status === status)
        .filter((record) => after === undefined || byGameId(record, { gameId: after }) > 0)
        .sort(byGameId);
      return pageOf(found.slice(0, limit + 1), limit, ({ gameId }) => gameId);
    },
    findRecord: async (gameId) => records.get(gameId),
    listOperations: async ({ gameId, before, limit }) => {
      requireLimit(limit);
      const beforeId = before === undefined ? OPERATION_ID_MAX : operationId(before);
      const found = operations
        .filter((row) => (gameId === undefined || row.gameId === gameId) && BigInt(row.id) < beforeId)
        .toReversed();
      return pageOf(found.slice(0, limit + 1), limit, ({ id }) => id);
    },
  };
}

function operationId(text: string): bigint {
  if (!/^\d{1,19}$/.test(text) || BigInt(text) > OPERATION_ID_MAX) {
    throw new InvalidPageError('the cursor is no operation id');
  }
  return BigInt(text);
}
