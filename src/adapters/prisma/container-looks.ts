import {
  type ContainerLooks,
  LOOKS_COUNTED,
  type LookSubject,
  type MissingFacts,
  OTHERS_LOOKED_AT,
  RECENT_MS,
} from '../../engines/engine-ports.js';
import { storable } from '../../domain/text.js';
import { Prisma, type PrismaClient } from '../../generated/prisma/client.js';
import { withUnavailable } from './failure.js';

/** The name of a record's engine, spelt as in the index `runtime_records_engine_game_id_idx`. */
export const ENGINE_OF_RECORD = Prisma.sql`coalesce(nullif(btrim(docker_host), ''), 'default')`;

const LOOKS_KEPT = '7 days';
/** A burst is counted over so long at most: containers that vanish one by one over weeks are no burst. */
const BURST_WITHIN = '1 day';
/** Records before and after this one that are asked for; the game ids next to it are as good as any. */
const NEIGHBOURS = 50;

/** The newest look at each container, in PostgreSQL. */
export function createContainerLooks({ prisma }: { readonly prisma: PrismaClient }): ContainerLooks {
  const present = (subject: LookSubject, removalJob: string | null): Promise<void> =>
    withUnavailable(async () => void (await prisma.$executeRaw(notePresent(subject, removalJob))));
  return {
    foundPresent: (subject) => present(subject, null),
    removalIsNext: (subject) => present(subject, subject.jobId),
    foundGone: (subject) =>
      withUnavailable(async () => {
        // One after the other for each engine: looks that are stored at the same moment would not count each other.
        const [, [row]] = await prisma.$transaction([
          prisma.$queryRaw`SELECT pg_advisory_xact_lock(hashtextextended('missing containers of ' || ${subject.engine}::text, 0))::text`,
          prisma.$queryRaw<MissingFacts[]>(noteGone(subject)),
        ]);
        return row ?? NO_FACTS;
      }),
    forgetOld: () =>
      withUnavailable(
        async () =>
          void (await prisma.$executeRaw`
            DELETE FROM container_looks WHERE looked_at < now() - ${LOOKS_KEPT}::interval`),
      ),
  };
}

const NO_FACTS: MissingFacts = {
  removalSent: false,
  accepted: false,
  goneLooks: 0,
  othersSeenRecently: false,
  others: [],
};

/**
 * Committed without waiting for the disk: another process sees it at once, and only a crash of PostgreSQL itself can lose
 * the last half second of looks. Then a removal that was sent has no trace, and its job waits for other evidence.
 */
function notePresent({ engine, containerId, gameId }: LookSubject, removalJob: string | null): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO container_looks AS l (engine, container_id, game_id, found, looked_at, removal_job)
    SELECT ${storable(engine)}::text, ${containerId}::text, ${storable(gameId)}::text, 'present', clock_timestamp(),
           ${removalJob}::text
    FROM set_config('synchronous_commit', 'off', true)
    ON CONFLICT (engine, container_id) DO UPDATE
    SET found = 'present', looked_at = excluded.looked_at, game_id = excluded.game_id,
        removal_job = coalesce(excluded.removal_job, l.removal_job), accepted_at = NULL, accepted_by = NULL`;
}

/** A container whose removal this job has sent is not counted as missing: its absence is the job's own work. */
function noteGone({ engine, containerId, gameId, jobId }: LookSubject): Prisma.Sql {
  const isOther = Prisma.sql`engine = ${engine}::text AND container_id <> ${containerId}::text`;
  return Prisma.sql`
    WITH looked AS (
      INSERT INTO container_looks AS l (engine, container_id, game_id, found, looked_at)
      VALUES (${storable(engine)}::text, ${containerId}::text, ${storable(gameId)}::text, 'gone', clock_timestamp())
      ON CONFLICT (engine, container_id) DO UPDATE
      SET looked_at = excluded.looked_at, game_id = excluded.game_id,
          found = CASE WHEN l.removal_job = ${jobId}::text THEN l.found ELSE 'gone' END
      RETURNING l.found, l.accepted_at, coalesce(l.removal_job = ${jobId}::text, false) AS sent
    ), newest AS (
      SELECT found, accepted_at FROM container_looks
      WHERE ${isOther} AND looked_at > now() - ${BURST_WITHIN}::interval
      ORDER BY looked_at DESC LIMIT ${LOOKS_COUNTED - 1}::integer
    ), counted AS (
      SELECT found, accepted_at FROM newest UNION ALL SELECT found, accepted_at FROM looked
    )
    SELECT looked.sent AS "removalSent",
           looked.accepted_at IS NOT NULL AS accepted,
           (SELECT count(*)::integer FROM counted WHERE found = 'gone' AND accepted_at IS NULL) AS "goneLooks",
           EXISTS (
             SELECT FROM container_looks JOIN engines AS e ON e.name = engine
             WHERE ${isOther} AND found = 'present'
               AND looked_at > greatest(e.evidence_since, now() - make_interval(secs => ${RECENT_MS / 1_000}::float8))
           ) AS "othersSeenRecently",
           ARRAY(${otherContainers(engine, containerId, gameId)}) AS others
    FROM looked`;
}

/**
 * Containers that other records name on this engine, those that were not missing at the newest look first. A container
 * whose removal was sent a moment ago says nothing: it may be gone because it was removed.
 */
function otherContainers(engine: string, containerId: string, gameId: string): Prisma.Sql {
  const neighbours = (side: Prisma.Sql): Prisma.Sql => Prisma.sql`
    (SELECT current_container_id, status, last_op_at FROM runtime_records
     WHERE ${ENGINE_OF_RECORD} = ${engine}::text AND status IN ('running', 'stopped')
       AND current_container_id IS NOT NULL AND ${side} LIMIT ${NEIGHBOURS}::integer)`;
  return Prisma.sql`
    SELECT r.current_container_id
    FROM (${neighbours(Prisma.sql`game_id > ${storable(gameId)}::text ORDER BY game_id`)}
          UNION ALL ${neighbours(Prisma.sql`game_id < ${storable(gameId)}::text ORDER BY game_id DESC`)}) AS r
    LEFT JOIN container_looks AS o ON o.engine = ${engine}::text AND o.container_id = r.current_container_id
    WHERE r.current_container_id ~ '^[0-9a-f]{64}$' AND r.current_container_id <> ${containerId}::text
      AND NOT coalesce(o.removal_job IS NOT NULL
                       AND o.looked_at > now() - make_interval(secs => ${RECENT_MS / 1_000}::float8), false)
    ORDER BY o.found IS NOT DISTINCT FROM 'gone', r.status, r.last_op_at DESC
    LIMIT ${OTHERS_LOOKED_AT}::integer`;
}
