import type { FailedJob, FailedSet } from './failed-set.js';
import { CLEANUP_QUEUE } from './names.js';

/** What is used here of a `pg` client. */
interface SqlClient {
  readonly query: (
    text: string,
    values?: unknown[],
  ) => Promise<{ readonly rows: unknown[]; readonly rowCount?: number | null }>;
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
  readonly progress: unknown;
  readonly failed_reason: string | null;
  readonly finished_at_ms: string;
  readonly added_at_ms: string;
}

const COLUMNS = 'id, name, data, progress, failed_reason, finished_at_ms, added_at_ms';

/** @param withClient lends a connection for as long as the work runs */
export function createPostgresFailedSet(
  withClient: <T>(work: (client: SqlClient) => Promise<T>) => Promise<T>,
  schema: string,
): FailedSet {
  const jobs = `"${schema}".job`;
  const failedJob = `queue = $1 AND state = 'failed' AND id = $2`;

  async function select(text: string, values: readonly unknown[]): Promise<readonly FailedJob[]> {
    const { rows } = await withClient((client) => client.query(text, [CLEANUP_QUEUE, ...values]));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the columns and their types are BullMQ's own schema
    return (rows as Row[]).map(toFailedJob);
  }

  return {
    page: (after, limit) =>
      after === null
        ? select(
            `SELECT ${COLUMNS} FROM ${jobs} WHERE queue = $1 AND state = 'failed'
             ORDER BY finished_at_ms DESC, id COLLATE "C" DESC LIMIT $2`,
            [limit],
          )
        : select(
            `SELECT ${COLUMNS} FROM ${jobs} WHERE queue = $1 AND state = 'failed' AND finished_at_ms <= $2
               AND (finished_at_ms < $2 OR id COLLATE "C" < $3)
             ORDER BY finished_at_ms DESC, id COLLATE "C" DESC LIMIT $4`,
            [after.failedAtMs, after.jobId, limit],
          ),
    find: async (jobId) => (await select(`SELECT ${COLUMNS} FROM ${jobs} WHERE ${failedJob}`, [jobId]))[0],
    remove: (jobId) => withClient((client) => remove(client, jobId)),
    retakeKey: async (jobId) => {
      // The job's row stays locked till the key is written, so that it cannot end in between and leave it behind.
      await withClient((client) =>
        client.query(
          `WITH live AS MATERIALIZED (
             SELECT queue, dedup_id, id FROM ${jobs}
             WHERE queue = $1 AND id = $2 AND dedup_id IS NOT NULL AND state NOT IN ('completed', 'failed') FOR UPDATE
           )
           INSERT INTO "${schema}".dedup (queue, dedup_id, job_id) SELECT * FROM live ON CONFLICT DO NOTHING`,
          [CLEANUP_QUEUE, jobId],
        ),
      );
    },
  };

  /** The lock on the row decides: a retry waits for it, and then finds no failed job. */
  async function remove(client: SqlClient, jobId: string): Promise<boolean> {
    await client.query('BEGIN');
    try {
      const { rows } = await client.query(`SELECT 1 FROM ${jobs} WHERE ${failedJob} FOR UPDATE`, [
        CLEANUP_QUEUE,
        jobId,
      ]);
      if (rows.length > 0) await client.query(`SELECT "${schema}".remove($1, $2, true)`, [CLEANUP_QUEUE, jobId]);
      await client.query('COMMIT');
      return rows.length > 0;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }
}

const toFailedJob = (row: Row): FailedJob => ({
  jobId: row.id,
  jobName: row.name,
  data: row.data,
  progress: row.progress,
  reason: row.failed_reason ?? '',
  failedAtMs: Number(row.finished_at_ms),
  addedAtMs: Number(row.added_at_ms),
});
