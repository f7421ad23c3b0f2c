import type { OperationLog } from '../../cleanup/ports.js';
import type { OperationEntry } from '../../domain/operation.js';
import { storable } from '../../domain/text.js';
import { Prisma, type PrismaClient } from '../../generated/prisma/client.js';
import { withUnavailable } from './failure.js';

/** The append-only operation log in PostgreSQL; rejects with `UnavailableError` when the database cannot answer. */
export function createOperationLog({ prisma }: { readonly prisma: PrismaClient }): OperationLog {
  return {
    append: (entry) =>
      withUnavailable(async () => {
        await prisma.$executeRaw(insertOperation(entry, Prisma.empty));
      }),
  };
}

/**
 * The statement that appends one row for each row of `from` (one row without it). Finish and start are times of the
 * database's clock; texts lose what PostgreSQL cannot store.
 */
export function insertOperation(entry: OperationEntry, from: Prisma.Sql): Prisma.Sql {
  const elapsedSeconds = Math.max(0, entry.elapsedMs) / 1_000;
  return Prisma.sql`
    INSERT INTO operation_log (game_id, op_kind, op_source, source_ref, image_ref, container_id,
                               outcome, error_code, error_message, job_id, attempt, removal, engine, actor,
                               started_at, finished_at)
    SELECT ${storable(entry.gameId)}::text, ${entry.opKind}::text, ${storable(entry.opSource)}::text,
           ${storable(entry.sourceRef)}::text, ${storable(entry.imageRef)}::text, ${storable(entry.containerId)}::text,
           ${entry.outcome}::text, ${entry.errorCode}::text, ${storable(entry.errorMessage)}::text,
           ${storable(entry.jobId)}::text, ${entry.attempt}::integer, ${entry.removal}::text,
           ${storable(entry.engine)}::text, ${storable(entry.actor)}::text,
           now() - make_interval(secs => ${elapsedSeconds}::float8), now()
    ${from}`;
}
