import type { MarkRemovedAnswer, RuntimeRecords, TakenRecord } from '../../cleanup/ports.js';
import type { OperationEntry } from '../../domain/operation.js';
import type { RuntimeRecord } from '../../domain/runtime-record.js';
import { Prisma, type PrismaClient } from '../../generated/prisma/client.js';
import { withUnavailable } from './failure.js';
import { insertOperation } from './operation-log.js';
import { isStorableGameId, RECORD_COLUMNS, toRecord } from './record-row.js';

/**
 * The runtime records in PostgreSQL. Both members are one statement and one round trip, and both lock the row before
 * they judge it: a statement that waited for the lock then sees the row as it is now, where a plain read in the same statement
 * would still show what stood there before the wait.
 */
export function createRuntimeRecords({ prisma }: { readonly prisma: PrismaClient }): RuntimeRecords {
  return {
    take: async (gameId) => {
      if (!isStorableGameId(gameId)) return undefined;
      // A row that was deleted and inserted anew while we waited for it is not visible to the statement that waited.
      return withUnavailable(async () => (await take(prisma, gameId)) ?? (await take(prisma, gameId)));
    },
    markRemoved: (taken, entry) =>
      withUnavailable(async () => (await markRemoved(prisma, taken, entry)) ?? lookAgain(prisma, taken.gameId)),
  };
}

interface TakenRow extends RuntimeRecord {
  readonly stoppedForMs: number;
  readonly held: boolean;
}

async function take(prisma: PrismaClient, gameId: string): Promise<TakenRecord | undefined> {
  const [row] = await prisma.$queryRaw<TakenRow[]>`
    WITH locked AS MATERIALIZED (
      SELECT * FROM runtime_records WHERE game_id = ${gameId}::text FOR NO KEY UPDATE
    ), bumped AS (
      UPDATE runtime_records AS r SET lease_epoch = r.lease_epoch + 1
      FROM locked WHERE r.game_id = locked.game_id AND locked.status = 'stopped'
      RETURNING r.*
    ), taken AS (
      SELECT * FROM bumped UNION ALL SELECT * FROM locked WHERE NOT EXISTS (SELECT FROM bumped)
    )
    SELECT ${RECORD_COLUMNS},
           (extract(epoch FROM clock_timestamp() - coalesce(stopped_at, last_op_at)) * 1000)::float8 AS "stoppedForMs",
           EXISTS (
             SELECT FROM retention_holds AS h
             WHERE h.game_id = taken.game_id AND (h.held_until IS NULL OR h.held_until > clock_timestamp())
           ) AS held
    FROM taken`;
  return row === undefined ? undefined : { record: toRecord(row), stoppedForMs: row.stoppedForMs, held: row.held };
}

interface MarkedRow extends RuntimeRecord {
  readonly marked: boolean;
}

/** Undefined when there is no such row. */
async function markRemoved(
  prisma: PrismaClient,
  taken: RuntimeRecord,
  entry: OperationEntry,
): Promise<MarkRemovedAnswer | undefined> {
  const [row] = await prisma.$queryRaw<MarkedRow[]>`
    WITH locked AS MATERIALIZED (
      SELECT * FROM runtime_records WHERE game_id = ${taken.gameId}::text FOR NO KEY UPDATE
    ), marked AS (
      UPDATE runtime_records AS r
      SET status = 'removed', current_container_id = NULL, removed_at = now(), last_op_at = now()
      FROM locked
      WHERE r.game_id = locked.game_id AND locked.status = 'stopped'
        AND locked.current_container_id IS NOT DISTINCT FROM ${taken.currentContainerId}::text
        AND locked.lease_epoch = ${taken.leaseEpoch}::bigint
      RETURNING r.*
    ), logged AS (
      ${insertOperation(entry, Prisma.sql`FROM marked`)}
    ), found AS (
      SELECT *, true AS marked FROM marked
      UNION ALL SELECT *, false FROM locked WHERE NOT EXISTS (SELECT FROM marked)
    )
    SELECT ${RECORD_COLUMNS}, marked FROM found`;
  if (row === undefined) return undefined;
  return row.marked ? { status: 'marked', record: toRecord(row) } : lost(toRecord(row));
}

async function lookAgain(prisma: PrismaClient, gameId: string): Promise<MarkRemovedAnswer> {
  const record = await prisma.runtimeRecord.findUnique({ where: { gameId } });
  return record === null ? { status: 'vanished' } : lost(toRecord(record));
}

function lost(record: RuntimeRecord): MarkRemovedAnswer {
  return { status: record.status === 'removed' ? 'already_removed' : 'changed', record };
}
