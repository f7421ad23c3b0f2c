import { GAME_ID_MAX_CHARACTERS } from '../../domain/operation.js';
import { Prisma, type PrismaClient } from '../../generated/prisma/client.js';
import type { Census, RetentionPosition, RetentionRecord, RetentionRecords } from '../../retention/ports.js';
import { sqlStateOf, withUnavailable } from './failure.js';
import { type HoldColumns, holdColumns, toHold } from './hold-row.js';
import { epochMs, instant } from './instant.js';
import { isStorableGameId } from './record-row.js';
import { InvalidPageError } from '../../domain/errors.js';

/**
 * The records as retention sees them. Every moment is read from the database's clock and comes back to it as text, so
 * this process's clock and the session's settings have no say. Times are cut to milliseconds, as the columns are, so
 * that the database and JavaScript count the same time since the stop.
 */
export function createRetentionRecords({ prisma }: { readonly prisma: PrismaClient }): RetentionRecords {
  return {
    now: () => withUnavailable(() => readClock(prisma)),
    census: (retentionMs, except) => withUnavailable(() => takeCensus(prisma, retentionMs, except)),
    stopped: ({ asOf, stoppedForMs, after, limit }) =>
      atPosition(after, async () => {
        const since = stoppedForMs === null ? Prisma.empty : Prisma.sql`AND ${SINCE} <= ${before(asOf, stoppedForMs)}`;
        const rows = await prisma.$queryRaw<Row[]>`
          ${selectFrom(asOf)}
          WHERE r.status = 'stopped' ${since} ${afterPosition(after)}
          ORDER BY ${SINCE}, r.game_id LIMIT ${limit}::bigint`;
        return rows.map((row) => toRetentionRecord(row, asOf));
      }),
    find: (gameIds) =>
      withUnavailable(async () => {
        const asOf = await readClock(prisma);
        const ids = gameIds.filter(isStorableGameId);
        const rows = await prisma.$queryRaw<Row[]>`${selectFrom(asOf)} WHERE r.game_id = ANY(${ids}::text[])`;
        return { asOf, records: rows.map((row) => toRetentionRecord(row, asOf)) };
      }),
  };
}

/** The start of the retention clock, spelt as the index `runtime_records_stopped_since_idx` has it. */
const SINCE = Prisma.raw('coalesce(r.stopped_at, r.last_op_at)');
const NOW = Prisma.raw(`date_trunc('milliseconds', now())`);

const moment = (at: Date): Prisma.Sql => Prisma.sql`${at.toISOString()}::timestamptz`;
const before = (at: Date, ms: number): Prisma.Sql =>
  Prisma.sql`${moment(at)} - ${ms}::float8 * interval '1 millisecond'`;

async function readClock(prisma: PrismaClient): Promise<Date> {
  const [row] = await prisma.$queryRaw<[{ readonly now: Date }]>`SELECT ${NOW} AS now`;
  return row.now;
}

interface Row extends HoldColumns {
  readonly gameId: string;
  readonly status: string;
  readonly containerId: string | null;
  readonly since: string;
  readonly sinceMs: string;
}

/**
 * A limit inside keeps the planner from joining the holds by hash, which would lose the index's order and sort. JSON
 * writes a time the same way for every DateStyle of the session.
 */
const selectFrom = (asOf: Date): Prisma.Sql => Prisma.sql`
  SELECT r.game_id AS "gameId", r.status, r.current_container_id AS "containerId",
         to_json(${SINCE}) #>> '{}' AS since, ${epochMs('coalesce(r.stopped_at, r.last_op_at)')} AS "sinceMs",
         ${holdColumns('h')}
  FROM runtime_records AS r
  LEFT JOIN LATERAL (
    SELECT * FROM retention_holds AS held WHERE held.game_id = r.game_id AND ${isActive('held', moment(asOf))} LIMIT 1
  ) AS h ON true`;

const isActive = (hold: string, at: Prisma.Sql): Prisma.Sql => {
  const until = Prisma.raw(`${hold}.held_until`);
  return Prisma.sql`(${until} IS NULL OR ${until} > ${at})`;
};

const afterPosition = (after: RetentionPosition | null): Prisma.Sql =>
  after === null
    ? Prisma.empty
    : Prisma.sql`AND (${SINCE}, r.game_id) > (${after.since}::text::timestamptz, ${after.gameId}::text)`;

function toRetentionRecord(row: Row, asOf: Date): RetentionRecord {
  const { gameId, status, containerId, since, reason, heldBy, heldUntilMs } = row;
  const sinceMs = Number(row.sinceMs);
  return {
    gameId,
    status,
    containerId,
    since: instant(sinceMs),
    stoppedForMs: asOf.getTime() - sinceMs,
    hold: reason === null || heldBy === null ? null : toHold(gameId, reason, heldBy, heldUntilMs),
    position: { since, gameId },
  };
}

/** What PostgreSQL says of text that is no time: wrong form, or a field out of range. */
const BAD_TIME_STATES = new Set(['22007', '22008', '22009']);

async function atPosition<T>(position: RetentionPosition | null, work: () => Promise<T>): Promise<T> {
  if (position === null) return withUnavailable(work);
  const problem = 'the cursor names no place in the plan; allowed: the "next" of the page before';
  if (!isStorableGameId(position.gameId) || !isStorableGameId(position.since)) throw new InvalidPageError(problem);
  try {
    return await withUnavailable(work);
  } catch (error) {
    if (BAD_TIME_STATES.has(sqlStateOf(error) ?? '')) throw new InvalidPageError(problem, { cause: error });
    throw error;
  }
}

interface CensusRow {
  readonly running: bigint;
  readonly stopped: bigint;
  readonly removed: bigint;
  readonly due: bigint;
  readonly held: bigint;
  readonly excepted: bigint;
  readonly oldestMs: string | null;
}

/** The characters that JavaScript's `trim()` removes, without the control characters among them. */
const EDGE_SPACES =
  '\u0020\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u2028\u2029\u202F\u205F\u3000\uFEFF';

/** `gameIdProblem` as SQL, for counts: a record with any other id is never due. */
const HAS_GAME_ID = Prisma.sql`
  char_length(r.game_id) BETWEEN 1 AND ${GAME_ID_MAX_CHARACTERS}::integer
  AND r.game_id = btrim(r.game_id, ${EDGE_SPACES}::text) AND r.game_id !~ '[\\u0001-\\u001F\\u007F-\\u009F]'`;

async function takeCensus(prisma: PrismaClient, retentionMs: number, except: readonly string[]): Promise<Census> {
  const asOf = await readClock(prisma);
  const [row] = await prisma.$queryRaw<[CensusRow]>`
    WITH past_due AS (
      SELECT ${SINCE} AS since, h.game_id IS NOT NULL AS held, e.game_id IS NOT NULL AS excepted
      FROM runtime_records AS r
      LEFT JOIN retention_holds AS h ON h.game_id = r.game_id AND ${isActive('h', moment(asOf))}
      LEFT JOIN (SELECT DISTINCT unnest(${except.filter(isStorableGameId)}::text[]) AS game_id) AS e ON e.game_id = r.game_id
      WHERE r.status = 'stopped' AND ${SINCE} <= ${before(asOf, retentionMs)} AND ${HAS_GAME_ID}
    ), by_status AS (
      SELECT count(*) FILTER (WHERE status = 'running') AS running, count(*) FILTER (WHERE status = 'stopped') AS stopped,
             count(*) FILTER (WHERE status = 'removed') AS removed
      FROM runtime_records
    ), judged AS (
      SELECT count(*) FILTER (WHERE NOT held AND NOT excepted) AS due, count(*) FILTER (WHERE held) AS held,
             count(*) FILTER (WHERE excepted AND NOT held) AS excepted,
             min(since) FILTER (WHERE NOT held AND NOT excepted) AS oldest
      FROM past_due
    )
    SELECT running, stopped, removed, due, held, excepted, ${epochMs('oldest')} AS "oldestMs" FROM by_status, judged`;
  return {
    asOf,
    running: Number(row.running),
    stopped: Number(row.stopped),
    removed: Number(row.removed),
    due: Number(row.due),
    held: Number(row.held),
    excepted: Number(row.excepted),
    lagMs: row.oldestMs === null ? 0 : lagMs(asOf.getTime() - Number(row.oldestMs) - retentionMs),
  };
}

/** A record stopped at `-infinity` is late beyond measure; gauges and JSON want a number all the same. */
const lagMs = (ms: number): number => Math.min(ms, Number.MAX_SAFE_INTEGER);
