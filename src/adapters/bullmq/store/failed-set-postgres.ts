import {
  boundedMs,
  type FailedEntry,
  type FailedJob,
  type FailedSet,
  PAGE_DATA_MAX_BYTES,
  PAGE_PROGRESS_MAX_BYTES,
  PAGE_REASON_MAX_CHARACTERS,
} from './failed-set.js';
import { CLEANUP_QUEUE } from '../names.js';

/** The part of a `pg` client that this file uses. */
interface SqlClient {
  readonly query: (text: string, values?: unknown[]) => Promise<{ readonly rows: unknown[] }>;
}

type Lending = <T>(work: (client: SqlClient) => Promise<T>) => Promise<T>;

interface Row {
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
  readonly progress: unknown;
  readonly failed_reason: string | null;
  readonly finished_at_ms: string;
  readonly added_at_ms: string;
}

/** @param withClient lends a connection while the work runs */
export function createPostgresFailedSet(withClient: Lending, schema: string): FailedSet {
  const sql = statements(schema);

  async function rows<Shape>(text: string, values: readonly unknown[]): Promise<readonly Shape[]> {
    const answer = await withClient((client) => client.query(text, [CLEANUP_QUEUE, ...values]));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the columns and their types are BullMQ's own schema
    return answer.rows as Shape[];
  }

  async function putBack(client: SqlClient, jobIds: readonly string[]): Promise<readonly string[]> {
    await client.query('BEGIN');
    try {
      await client.query(sql.lockKeys, [CLEANUP_QUEUE, jobIds]);
      const answer = await client.query(sql.putBack, [CLEANUP_QUEUE, jobIds]);
      await client.query('COMMIT');
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the statement returns
      return idsOf(answer.rows as Pick<Row, 'id'>[]);
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  return {
    page: async ({ after, limit, withProgress = false }) => {
      const place = after === null ? [null, null] : [Math.trunc(after.failedAtMs), after.jobId];
      return (await rows<Row>(sql.page, [...place, limit, withProgress ? PAGE_PROGRESS_MAX_BYTES : -1])).map(toEntry);
    },
    find: async (jobId) => {
      const [row] = await rows<Row>(sql.find, [jobId]);
      return row === undefined ? undefined : toJob(row);
    },
    putBack: ({ jobIds }) => withClient((client) => putBack(client, jobIds)),
    remove: async (jobIds) => idsOf(await rows<Row>(sql.remove, [jobIds])),
  };
}

function statements(schema: string) {
  const jobs = `"${schema}".job`;
  const keys = `"${schema}".dedup`;
  const isFailed = `queue = $1 AND state = 'failed'`;
  // Always in one order: two callers that lock the same jobs then wait one after the other, without a deadlock.
  const chosen = `chosen AS MATERIALIZED (
    SELECT id, dedup_id FROM ${jobs} WHERE ${isFailed} AND id = ANY($2) ORDER BY id FOR UPDATE
  )`;
  const brief = (column: string, most: string): string =>
    `CASE WHEN pg_column_size(${column}) <= ${most} AND octet_length(${column}::text) <= ${most} THEN ${column} END AS ${column}`;
  return {
    page: `
      SELECT id, ${brief('data', String(PAGE_DATA_MAX_BYTES))}, ${brief('progress', '$5::int')},
        left(failed_reason, ${PAGE_REASON_MAX_CHARACTERS}) AS failed_reason, finished_at_ms, added_at_ms
      FROM ${jobs}
      WHERE ${isFailed} AND finished_at_ms <= COALESCE($2::bigint, 9223372036854775807)
        AND ($2::bigint IS NULL OR finished_at_ms < $2 OR id COLLATE "C" < $3)
      ORDER BY finished_at_ms DESC, id COLLATE "C" DESC LIMIT $4`,
    find: `
      SELECT id, name, data, progress, failed_reason, finished_at_ms, added_at_ms
      FROM ${jobs} WHERE ${isFailed} AND id = $2`,
    // BullMQ's own lock on a deduplication key, taken before any row lock, in the order that BullMQ uses.
    lockKeys: `
      SELECT pg_advisory_xact_lock(key) FROM (
        SELECT DISTINCT hashtext('bullmq:dedup:' || queue || ':' || dedup_id) AS key
        FROM ${jobs} WHERE ${isFailed} AND id = ANY($2) AND dedup_id <> '' ORDER BY 1
      ) AS locks`,
    putBack: `
      WITH ${chosen}, back AS MATERIALIZED (
        SELECT id, dedup_id, "${schema}".reprocess_job($1, id, 'failed', false, true, true) AS code FROM chosen
      ), held AS (
        INSERT INTO ${keys} (queue, dedup_id, job_id)
        SELECT DISTINCT ON (dedup_id) $1, dedup_id, id FROM back WHERE code = 1 AND dedup_id <> '' ORDER BY dedup_id, id
        ON CONFLICT DO NOTHING
      )
      SELECT id FROM back WHERE code = 1`,
    remove: `
      WITH ${chosen}, gone AS (
        DELETE FROM ${jobs} USING chosen WHERE job.queue = $1 AND job.id = chosen.id RETURNING job.id, job.dedup_id
      ), freed AS (
        DELETE FROM ${keys} USING gone
        WHERE dedup.queue = $1 AND dedup.dedup_id = gone.dedup_id AND dedup.job_id = gone.id
      )
      SELECT id, "${schema}".publish_event($1, 'removed', jsonb_build_object('jobId', id, 'prev', 'failed')) FROM gone`,
  };
}

const toEntry = (row: Row): FailedEntry => ({
  jobId: row.id,
  data: row.data ?? undefined,
  progress: row.progress ?? undefined,
  reason: row.failed_reason ?? '',
  failedAtMs: boundedMs(row.finished_at_ms),
  addedAtMs: boundedMs(row.added_at_ms),
});

const toJob = (row: Row): FailedJob => ({ ...toEntry(row), jobName: row.name });

const idsOf = (found: readonly Pick<Row, 'id'>[]): readonly string[] => found.map(({ id }) => id);
