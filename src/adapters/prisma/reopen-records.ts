import type { RemovedRecord, ReopenAnswer, ReopenedAs, ReopenRecords } from '../../cleanup/reopen.js';
import type { CleanupRow } from '../../cleanup/decide-reopen.js';
import { OP_KIND, type OperationEntry } from '../../domain/operation.js';
import type { RuntimeRecord } from '../../domain/runtime-record.js';
import { Prisma, type PrismaClient } from '../../generated/prisma/client.js';
import { withUnavailable } from './failure.js';
import { insertOperation } from './operation-log.js';
import { isStorableGameId, RECORD_COLUMNS, toRecord } from './record-row.js';

/** The records in PostgreSQL, for reopening. */
export function createReopenRecords({ prisma }: { readonly prisma: PrismaClient }): ReopenRecords {
  return {
    find: async (gameId) => (isStorableGameId(gameId) ? withUnavailable(() => find(prisma, gameId)) : undefined),
    reopen: (read, as, entry) => withUnavailable(() => reopen(prisma, read, { as, entry })),
  };
}

interface FoundRow extends RuntimeRecord {
  readonly removedAtText: string | null;
  /** Null: the log has no such row. */
  readonly row: CleanupRow | null;
}

/** The row is found by the index on (game_id, id): the newest one that a cleanup wrote for a fresh success. */
async function find(prisma: PrismaClient, gameId: string): Promise<RemovedRecord | undefined> {
  const [found] = await prisma.$queryRaw<FoundRow[]>`
    SELECT ${RECORD_COLUMNS}, removed_at::text AS "removedAtText",
           (SELECT jsonb_build_object('containerId', l.container_id, 'removal', l.removal, 'engine', l.engine,
                                      'startedSince', coalesce(r.started_at > l.finished_at, false))
            FROM operation_log AS l
            WHERE l.game_id = r.game_id AND l.op_kind = ${OP_KIND}::text AND l.outcome = 'success' AND l.error_code = ''
            ORDER BY l.id DESC LIMIT 1) AS row
    FROM runtime_records AS r WHERE game_id = ${gameId}::text`;
  return found && { record: toRecord(found), removedAt: found.removedAtText, row: found.row };
}

interface ReopenedRow extends RuntimeRecord {
  readonly reopened: boolean;
}

interface Change {
  readonly as: ReopenedAs;
  readonly entry: OperationEntry;
}

/** Locks the row before it judges it, for the same reason as `markRemoved`. `stopped_at` stays: the game has not run since. */
async function reopen(
  prisma: PrismaClient,
  { record, removedAt }: RemovedRecord,
  { as, entry }: Change,
): Promise<ReopenAnswer> {
  const [row] = await prisma.$queryRaw<ReopenedRow[]>`
    WITH locked AS MATERIALIZED (
      SELECT * FROM runtime_records WHERE game_id = ${record.gameId}::text FOR NO KEY UPDATE
    ), reopened AS (
      UPDATE runtime_records AS r
      SET status = 'stopped', current_container_id = ${as.containerId}::text, docker_host = ${as.dockerHost}::text,
          removed_at = NULL, last_op_at = now(), lease_epoch = r.lease_epoch + 1
      FROM locked
      WHERE r.game_id = locked.game_id AND locked.status = 'removed'
        AND locked.lease_epoch = ${record.leaseEpoch}::bigint
        AND locked.removed_at::text IS NOT DISTINCT FROM ${removedAt}::text
      RETURNING r.*
    ), logged AS (
      ${insertOperation(entry, Prisma.sql`FROM reopened`)}
    ), found AS (
      SELECT *, true AS reopened FROM reopened
      UNION ALL SELECT *, false FROM locked WHERE NOT EXISTS (SELECT FROM reopened)
    )
    SELECT ${RECORD_COLUMNS}, reopened FROM found`;
  if (row === undefined) return { status: 'vanished' };
  return row.reopened ? { status: 'reopened', record: toRecord(row) } : { status: 'changed' };
}
