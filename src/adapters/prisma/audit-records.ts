import type {
  AuditedRecord,
  AuditRecords,
  ContainerNaming,
  JobOfGame,
  OwnedContainer,
  RecordQuery,
} from '../../audit/audit-ports.js';
import { GAME_ID_MAX_CHARACTERS, OP_KIND, REOPEN_OP_KIND } from '../../domain/operation.js';
import { storable } from '../../domain/text.js';
import { Prisma, type PrismaClient } from '../../generated/prisma/client.js';
import { ENGINE_OF_RECORD } from './container-looks.js';
import { withUnavailable } from './failure.js';

/**
 * Records beside their rows, for an audit. A removal stamps the record and its row with one `now()`, so they are joined by
 * that moment; all times are compared here, where they are known whole.
 */
export function createAuditRecords({ prisma }: { readonly prisma: PrismaClient }): AuditRecords {
  return {
    page: (query) => withUnavailable(() => readPage(prisma, query)),
    countRemoved: (gameId) =>
      withUnavailable(async () => {
        const [row] = await prisma.$queryRaw<[{ readonly count: bigint }]>`
          SELECT count(*) AS count FROM runtime_records WHERE status = 'removed' ${ofGame(gameId)}`;
        return Number(row.count);
      }),
    namesOf: (engine, containers) => withUnavailable(() => findNames(prisma, engine, containers)),
    withoutFailureRow: (jobs) => withUnavailable(() => findUnlogged(prisma, jobs)),
  };
}

const ofGame = (gameId: string | null): Prisma.Sql =>
  gameId === null ? Prisma.empty : Prisma.sql`AND game_id = ${gameId}::text`;

/** The rows that only a removal writes. */
const IS_SUCCESS = Prisma.sql`l.op_kind = ${OP_KIND}::text AND l.outcome = 'success' AND l.error_code = ''`;

/** The cleanup of that row was undone later: it no longer says that the container is gone. */
const WAS_UNDONE = Prisma.sql`EXISTS (
  SELECT FROM operation_log AS u
  WHERE u.game_id = l.game_id AND u.id > l.id AND u.op_kind = ${REOPEN_OP_KIND}::text AND u.outcome = 'success'
    AND u.container_id = l.container_id)`;

interface Row extends Omit<AuditedRecord, 'newestRow'> {
  readonly rowId: bigint | null;
  readonly rowJobId: string | null;
  readonly rowContainerId: string | null;
  readonly afterRemoval: boolean;
  readonly recordUntouched: boolean;
  readonly isRepeated: boolean;
}

/**
 * The page is cut before anything is joined to it, so that its cost has a bound however many of its records are sound. A
 * log whose ids begin with 1 has never been pruned at that end.
 */
async function readPage(
  prisma: PrismaClient,
  { gameId, status, after, limit }: RecordQuery,
): Promise<readonly AuditedRecord[]> {
  const rows = await prisma.$queryRaw<Row[]>`
    WITH page AS MATERIALIZED (
      SELECT * FROM runtime_records
      WHERE ${status === 'removed' ? Prisma.sql`status = 'removed'` : Prisma.sql`true`} ${ofGame(gameId)}
        ${after === null ? Prisma.empty : Prisma.sql`AND game_id > ${after}::text`}
      ORDER BY game_id LIMIT ${limit}::bigint
    ), first AS MATERIALIZED (
      SELECT finished_at FROM (SELECT id, finished_at FROM operation_log ORDER BY id LIMIT 1) AS oldest WHERE id > 1
    )
    SELECT r.game_id AS "gameId", r.status, r.current_container_id AS "containerId", ${ENGINE_OF_RECORD} AS engine,
           coalesce(r.lease_epoch > 0 AND r.current_container_id IS NULL AND r.removed_at = r.last_op_at, false)
             AS "bearsOurMark",
           removal.rows AS "rowsOfRemoval", removal.container_id AS "containerOfRemoval",
           removal.engine AS "engineOfRemoval", removal.removal,
           coalesce(r.removed_at < (SELECT finished_at FROM first), false) AS "olderThanLog",
           newest.id AS "rowId", newest.job_id AS "rowJobId", newest.container_id AS "rowContainerId",
           coalesce(newest.finished_at > r.removed_at, false) AS "afterRemoval",
           coalesce(r.last_op_at <= newest.finished_at, false) AS "recordUntouched",
           newest.id IS NOT NULL AND newest.container_id <> '' AND EXISTS (
             SELECT FROM operation_log AS l
             WHERE l.game_id = r.game_id AND l.id < newest.id AND l.container_id = newest.container_id AND ${IS_SUCCESS}
               AND NOT ${WAS_UNDONE}
           ) AS "isRepeated"
    FROM page AS r
    CROSS JOIN LATERAL (
      SELECT count(*)::integer AS rows, coalesce(max(l.container_id), '') AS container_id,
             coalesce(max(l.engine), '') AS engine, coalesce(max(l.removal), '') AS removal
      FROM operation_log AS l
      WHERE l.game_id = r.game_id AND l.finished_at = r.removed_at AND ${IS_SUCCESS}
    ) AS removal
    LEFT JOIN LATERAL (
      SELECT l.id, l.job_id, l.container_id, l.finished_at, ${WAS_UNDONE} AS undone FROM operation_log AS l
      WHERE l.game_id = r.game_id AND ${IS_SUCCESS} ORDER BY l.id DESC LIMIT 1
    ) AS newest ON NOT newest.undone
    ORDER BY r.game_id`;
  return rows.map(toAudited);
}

function toAudited(row: Row): AuditedRecord {
  const { rowId, rowJobId, rowContainerId, afterRemoval, recordUntouched, isRepeated, ...record } = row;
  const newestRow =
    rowId === null
      ? null
      : {
          id: rowId.toString(),
          jobId: rowJobId ?? '',
          containerId: rowContainerId ?? '',
          afterRemoval,
          recordUntouched,
          isRepeated,
        };
  return { ...record, newestRow };
}

/** One scan of the live records for all containers; the records of the labelled games are found by their key. */
async function findNames(
  prisma: PrismaClient,
  engine: string,
  containers: readonly OwnedContainer[],
): Promise<readonly ContainerNaming[]> {
  const ids = containers.map(({ containerId }) => containerId);
  // No record has the empty text as its game id.
  const games = containers.map(({ gameLabel }) => storable(gameLabel ?? '', 2 * GAME_ID_MAX_CHARACTERS));
  const rows = await prisma.$queryRaw<
    { readonly isNamed: boolean; readonly status: string | null; readonly containerId: string | null }[]
  >`
    SELECT EXISTS (
             SELECT FROM runtime_records AS r
             WHERE r.current_container_id = c.id AND r.status IN ('running', 'stopped')
               AND ${ENGINE_OF_RECORD} = ${engine}::text
           ) AS "isNamed",
           g.status, g.current_container_id AS "containerId"
    FROM unnest(${ids}::text[], ${games}::text[]) WITH ORDINALITY AS c (id, game, at)
    LEFT JOIN runtime_records AS g ON g.game_id = c.game
    ORDER BY c.at`;
  return rows.map(({ isNamed, status, containerId }) => ({
    isNamed,
    record: status === null ? null : { status, containerId },
  }));
}

/** By what was written: the log has ids as they can be stored. */
async function findUnlogged(prisma: PrismaClient, jobs: readonly JobOfGame[]): Promise<readonly JobOfGame[]> {
  const gameIds = jobs.map(({ gameId }) => storable(gameId.trim(), 2 * GAME_ID_MAX_CHARACTERS));
  const jobIds = jobs.map(({ jobId }) => storable(jobId));
  const rows = await prisma.$queryRaw<{ readonly at: number }[]>`
    SELECT (j.at - 1)::integer AS at
    FROM unnest(${gameIds}::text[], ${jobIds}::text[]) WITH ORDINALITY AS j (game_id, job_id, at)
    WHERE NOT EXISTS (
      SELECT FROM operation_log AS l WHERE l.game_id = j.game_id AND l.job_id = j.job_id AND l.outcome = 'failure'
    )
    ORDER BY j.at`;
  return rows.flatMap(({ at }) => jobs[at] ?? []);
}
