import type { LoggedOperation, OperationFilter, RecordFilter, RecordQueries } from '../../domain/record-queries.js';
import { removalOf } from '../../domain/operation.js';
import { type Page, pageOf, requireLimit } from '../../domain/pages.js';
import type { RuntimeRecord } from '../../domain/runtime-record.js';
import type { OperationLogEntry, PrismaClient } from '../../generated/prisma/client.js';
import { withUnavailable } from './failure.js';
import { isStorableGameId, toRecord } from './record-row.js';
import { InvalidPageError } from '../../domain/errors.js';

const BIGINT_MAX = 2n ** 63n - 1n;

/**
 * Records and the operation log, for reading. Rejects with `InvalidPageError` for a cursor or limit that cannot be, and
 * with `UnavailableError` when the database cannot answer.
 */
export function createRecordQueries({ prisma }: { readonly prisma: PrismaClient }): RecordQueries {
  return {
    listRecords: (filter) => listRecords(prisma, filter),
    findRecord: async (gameId) => {
      if (!isStorableGameId(gameId)) return undefined;
      const record = await withUnavailable(() => prisma.runtimeRecord.findUnique({ where: { gameId } }));
      return record === null ? undefined : toRecord(record);
    },
    listOperations: (filter) => listOperations(prisma, filter),
  };
}

async function listRecords(prisma: PrismaClient, filter: RecordFilter): Promise<Page<RuntimeRecord>> {
  const { status, after, limit } = filter;
  requireLimit(limit);
  if (after !== undefined && !isStorableGameId(after)) {
    throw new InvalidPageError('the cursor is no game id; pass the "next" of the page before');
  }
  const rows = await withUnavailable(() =>
    prisma.runtimeRecord.findMany({
      where: {
        ...(status === undefined ? {} : { status }),
        ...(after === undefined ? {} : { gameId: { gt: after } }),
      },
      orderBy: { gameId: 'asc' },
      take: limit + 1,
    }),
  );
  return pageOf(rows.map(toRecord), limit, (record) => record.gameId);
}

async function listOperations(prisma: PrismaClient, filter: OperationFilter): Promise<Page<LoggedOperation>> {
  const { gameId, before, limit } = filter;
  requireLimit(limit);
  const beforeId = before === undefined ? undefined : parseOperationId(before);
  if (gameId !== undefined && !isStorableGameId(gameId)) return { items: [], next: null };
  const rows = await withUnavailable(() =>
    prisma.operationLogEntry.findMany({
      where: {
        ...(gameId === undefined ? {} : { gameId }),
        ...(beforeId === undefined ? {} : { id: { lt: beforeId } }),
      },
      orderBy: { id: 'desc' },
      take: limit + 1,
    }),
  );
  return pageOf(rows.map(toOperation), limit, (operation) => operation.id);
}

function parseOperationId(text: string): bigint {
  const id = /^\d{1,19}$/.test(text) ? BigInt(text) : undefined;
  if (id === undefined || id > BIGINT_MAX) {
    throw new InvalidPageError('the cursor is no operation id; pass the "next" of the page before');
  }
  return id;
}

function toOperation(row: OperationLogEntry): LoggedOperation {
  return {
    id: row.id.toString(),
    gameId: row.gameId,
    opKind: row.opKind,
    opSource: row.opSource,
    sourceRef: row.sourceRef,
    imageRef: row.imageRef,
    containerId: row.containerId,
    outcome: row.outcome === 'success' ? 'success' : 'failure',
    errorCode: row.errorCode,
    errorMessage: row.errorMessage,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
    jobId: row.jobId,
    attempt: row.attempt,
    removal: removalOf(row.removal),
    engine: row.engine,
    actor: row.actor,
  };
}
