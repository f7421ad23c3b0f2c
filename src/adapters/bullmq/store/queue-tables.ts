/**
 * BullMQ's own tables in PostgreSQL, and the sequences that it would create itself at the first job of each queue. Both are
 * made here, so that the roles of workers and API need no right to create anything.
 */
import type { runMigrations } from 'bullmq';
import { messageOf, MigrationForbiddenError, MissingRightError } from '../../../domain/errors.js';
import { bullmq } from '../library.js';
import { CLEANUP_QUEUE, RETENTION_QUEUE, SCHEMA } from '../names.js';
import { isMissingRight } from './store-errors.js';

export type QueueClient = Parameters<typeof runMigrations>[0];

const QUEUES = [CLEANUP_QUEUE, RETENTION_QUEUE];

interface Found {
  /** Undefined: there are no tables. */
  readonly version: number | undefined;
  /** Queues whose sequence of job ids is missing. */
  readonly withoutSequence: readonly string[];
}

/** Takes no lock that others wait for, and needs no right but to read. */
async function find(client: QueueClient, schema: string): Promise<Found> {
  const { rows } = await client.query<{ tablename: string }>(
    `SELECT tablename FROM pg_tables WHERE schemaname = $1 AND tablename = 'migration'`,
    [schema],
  );
  if (rows.length === 0) return { version: undefined, withoutSequence: QUEUES };
  const version = await bullmq().assertSchemaCompatibility(client, schema);
  const missing = await client.query<{ queue: string }>(
    `SELECT queue FROM unnest($2::text[]) AS queues (queue)
     WHERE NOT EXISTS (SELECT FROM pg_sequences WHERE schemaname = $1 AND sequencename = 'bullmq_jid_' || md5(queue))`,
    [schema, QUEUES],
  );
  return { version, withoutSequence: missing.rows.map(({ queue }) => queue) };
}

const isCurrent = ({ version = 0, withoutSequence }: Found): boolean =>
  version >= bullmq().LATEST_SCHEMA_VERSION && withoutSequence.length === 0;

/**
 * A statement that waits for a table lock keeps those of jobs waiting behind it, so no wait is long: the caller repeats it.
 * BullMQ opens its transaction itself.
 */
const briefly = (client: QueueClient): QueueClient => {
  const query = (text: string, values?: unknown[]) =>
    client.query(text === 'BEGIN' ? `BEGIN; SET LOCAL lock_timeout = '1s'` : text, values);
  return new Proxy(client, {
    get: (target, member): unknown => (member === 'query' ? query : Reflect.get(target, member)),
  });
};

/**
 * Brings the tables up to date, if they are not: BullMQ's own migration takes an ACCESS EXCLUSIVE lock and needs the right
 * to create schemas also when there is nothing to do. Rejects with `MigrationForbiddenError` when the role may not.
 */
export async function migrateQueueTables(client: QueueClient, schema = SCHEMA): Promise<void> {
  try {
    const found = await find(client, schema);
    if (isCurrent(found)) return;
    await bullmq().runMigrations(briefly(client), schema);
    for (const queue of found.withoutSequence) {
      // As BullMQ's function next_job_id does it, which consumes a number.
      const { rows } = await client.query<{ name: string }>(`SELECT 'bullmq_jid_' || md5($1) AS name`, [queue]);
      await client.query(`CREATE SEQUENCE IF NOT EXISTS "${schema}"."${rows[0]?.name ?? ''}"`);
    }
  } catch (error) {
    if (!isMissingRight(error)) throw error;
    throw await refusalOf(client, schema, error);
  }
}

/** A role that may not read the tables needs rights; one that may read them has found them outdated or missing. */
async function refusalOf(client: QueueClient, schema: string, cause: unknown): Promise<Error> {
  const found = await find(client, schema).catch(() => undefined);
  if (found === undefined) return new MissingRightError('queue', messageOf(cause), { cause });
  return new MigrationForbiddenError(`${describe(found)}: ${messageOf(cause)}`, { cause });
}

function describe({ version, withoutSequence }: Found): string {
  const wanted = bullmq().LATEST_SCHEMA_VERSION;
  if (version === undefined) return "the queue's tables are missing";
  if (version < wanted) return `the queue's tables have version ${version} and need version ${wanted}`;
  return `the sequence of job ids is missing for ${withoutSequence.join(' and ')}`;
}
