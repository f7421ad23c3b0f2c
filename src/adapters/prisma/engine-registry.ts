import type {
  Acceptance,
  AcceptingActor,
  EngineIdentity,
  EngineRecord,
  EngineRegistry,
} from '../../engines/engine-ports.js';
import { describeIdentity } from '../../engines/decide-gone.js';
import { BugError } from '../../domain/errors.js';
import { storable } from '../../domain/text.js';
import { Prisma, type PrismaClient } from '../../generated/prisma/client.js';
import { ENGINE_OF_RECORD } from './container-looks.js';
import { withUnavailable } from './failure.js';

/** The stored identities of the engines, in PostgreSQL. */
export function createEngineRegistry({ prisma }: { readonly prisma: PrismaClient }): EngineRegistry {
  return {
    seen: (name, identity) =>
      withUnavailable(async () => {
        // Of two workers that use an engine for the first time, the second finds no row and cannot add one yet.
        const row = (await noteSeen(prisma, name, identity)) ?? (await noteSeen(prisma, name, identity));
        if (row === undefined) throw new BugError(`the engine ${name} was stored and cannot be found`);
        return recordOf(row);
      }),
    forgetLooks: (name) =>
      withUnavailable(
        async () =>
          void (await prisma.$executeRaw`
            UPDATE engines SET evidence_since = clock_timestamp() WHERE name = ${name}::text`),
      ),
    list: () => withUnavailable(async () => (await listRows(prisma, Prisma.empty)).map(recordOf)),
    accept: (name, actor) => withUnavailable(() => accept(prisma, name, actor)),
    named: () =>
      withUnavailable(async () => {
        const rows = await prisma.$queryRaw<{ name: string; records: number }[]>`
          SELECT ${ENGINE_OF_RECORD} AS name, count(*)::integer AS records FROM runtime_records
          WHERE status IN ('running', 'stopped') GROUP BY 1`;
        return new Map(rows.map(({ name, records }) => [name, records]));
      }),
  };
}

interface EngineRow {
  readonly name: string;
  readonly engine_id: string;
  readonly root_dir: string;
  readonly storage_driver: string;
  readonly first_seen_at: Date;
  readonly last_seen_at: Date;
  readonly accepted_at: Date | null;
  readonly accepted_by: string | null;
  readonly observed_engine_id: string | null;
  readonly observed_root_dir: string | null;
  readonly observed_storage_driver: string | null;
  readonly observed_at: Date | null;
  readonly missing: number;
}

/** Of a look `l` and the record `r` of its game: the engine says that the record's container is gone. */
const IS_MISSING = Prisma.sql`
  l.found = 'gone' AND l.accepted_at IS NULL AND r.game_id = l.game_id AND r.status = 'stopped'
  AND r.current_container_id = l.container_id`;

const MISSING = Prisma.sql`
  (SELECT count(*)::integer FROM container_looks AS l, runtime_records AS r
   WHERE l.engine = engines.name AND ${IS_MISSING}) AS missing`;

const listRows = (prisma: PrismaClient, where: Prisma.Sql): Promise<readonly EngineRow[]> =>
  prisma.$queryRaw<EngineRow[]>`SELECT *, ${MISSING} FROM engines ${where} ORDER BY name`;

/** How stale `last_seen_at` may be: every worker notes it every few seconds, and each note is a row version. */
const NOTED_EVERY = '30 seconds';

async function noteSeen(
  prisma: PrismaClient,
  name: string,
  { engineId, rootDir, storageDriver }: EngineIdentity,
): Promise<EngineRow | undefined> {
  const seen = Prisma.sql`(${storable(engineId)}::text, ${storable(rootDir)}::text, ${storable(storageDriver)}::text)`;
  const [row] = await prisma.$queryRaw<EngineRow[]>`
    WITH added AS (
      INSERT INTO engines (name, engine_id, root_dir, storage_driver, first_seen_at, last_seen_at, evidence_since)
      VALUES (${name}::text, ${storable(engineId)}::text, ${storable(rootDir)}::text, ${storable(storageDriver)}::text,
              now(), now(), now())
      ON CONFLICT (name) DO NOTHING RETURNING *
    ), matched AS (
      UPDATE engines
      SET last_seen_at = now(), observed_engine_id = NULL, observed_root_dir = NULL, observed_storage_driver = NULL,
          observed_at = NULL, evidence_since = CASE WHEN observed_at IS NULL THEN evidence_since ELSE now() END
      WHERE name = ${name}::text AND (engine_id, root_dir, storage_driver) = ${seen}
        AND (observed_at IS NOT NULL OR last_seen_at < now() - ${NOTED_EVERY}::interval)
      RETURNING *
    ), mismatched AS (
      UPDATE engines
      SET (observed_engine_id, observed_root_dir, observed_storage_driver) = ${seen}, observed_at = now(),
          evidence_since = now()
      WHERE name = ${name}::text AND (engine_id, root_dir, storage_driver) <> ${seen}
        AND (observed_engine_id, observed_root_dir, observed_storage_driver) IS DISTINCT FROM ${seen}
      RETURNING *
    ), noted AS (
      SELECT * FROM added UNION ALL SELECT * FROM matched UNION ALL SELECT * FROM mismatched
    )
    SELECT *, 0 AS missing FROM noted
    UNION ALL
    SELECT *, 0 FROM engines WHERE name = ${name}::text AND NOT EXISTS (SELECT FROM noted)`;
  return row;
}

function recordOf(row: EngineRow): EngineRecord {
  return {
    name: row.name,
    identity: { engineId: row.engine_id, rootDir: row.root_dir, storageDriver: row.storage_driver },
    observed: observedOf(row),
    observedAt: row.observed_at,
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
    acceptedAt: row.accepted_at,
    acceptedBy: row.accepted_by,
    missing: row.missing,
  };
}

function observedOf(row: EngineRow): EngineIdentity | null {
  if (row.observed_at === null) return null;
  return {
    engineId: row.observed_engine_id ?? '',
    rootDir: row.observed_root_dir ?? '',
    storageDriver: row.observed_storage_driver ?? '',
  };
}

async function accept(
  prisma: PrismaClient,
  name: string,
  { name: actor, opSource }: AcceptingActor,
): Promise<Acceptance | undefined> {
  // PostgreSQL cannot store such a name, so no engine has it.
  if (storable(name) !== name) return undefined;
  return prisma.$transaction(async (tx) => {
    const [before] = await tx.$queryRaw<EngineRow[]>`
      SELECT *, 0 AS missing FROM engines WHERE name = ${name}::text FOR UPDATE`;
    if (before === undefined) return undefined;
    const { identity, observed } = recordOf(before);
    const gone = await tx.$queryRaw<{ game_id: string }[]>`
      UPDATE container_looks AS l SET accepted_at = now(), accepted_by = ${storable(actor)}::text
      FROM runtime_records AS r WHERE l.engine = ${name}::text AND ${IS_MISSING} RETURNING l.game_id`;
    if (observed === null && gone.length === 0) return { replaced: null, engine: recordOf(before), gone: [] };
    const [after] = await tx.$queryRaw<EngineRow[]>`
      UPDATE engines
      SET engine_id = coalesce(observed_engine_id, engine_id), root_dir = coalesce(observed_root_dir, root_dir),
          storage_driver = coalesce(observed_storage_driver, storage_driver), observed_engine_id = NULL,
          observed_root_dir = NULL, observed_storage_driver = NULL, observed_at = NULL, evidence_since = now(),
          accepted_at = now(), accepted_by = ${storable(actor)}::text
      WHERE name = ${name}::text RETURNING *, 0 AS missing`;
    if (after === undefined) throw new BugError(`the engine ${name} vanished while its row was locked`);
    const what =
      (observed === null
        ? ''
        : `identity accepted: ${describeIdentity(observed)} instead of ${describeIdentity(identity)}; `) +
      `${gone.length} missing containers accepted as gone`;
    await tx.$executeRaw`
      INSERT INTO operation_log (game_id, op_kind, op_source, outcome, error_message, engine, actor, started_at, finished_at)
      VALUES ('', 'accept_engine', ${opSource}::text, 'success', ${storable(what)}::text, ${name}::text,
              ${storable(actor)}::text, now(), now())`;
    return {
      replaced: observed === null ? null : identity,
      engine: recordOf(after),
      gone: gone.map((row) => row.game_id).toSorted(),
    };
  });
}
