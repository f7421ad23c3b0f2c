import type { UnlockedJob } from '../../../audit/audit-ports.js';
import { CLEANUP_QUEUE, RETENTION_QUEUE } from '../names.js';

/** What is used here of a `pg` client. */
interface SqlClient {
  readonly query: (text: string, values?: unknown[]) => Promise<{ readonly rows: unknown[] }>;
}

type Lending = <T>(work: (client: SqlClient) => Promise<T>) => Promise<T>;

interface Unlocked {
  readonly active: number;
  readonly jobs: readonly UnlockedJob[];
}

interface Row {
  readonly queue: string;
  readonly id: string;
  readonly game_id: string | null;
  readonly claim: string | null;
}

/** A job whose worker wrote its lock by a slow clock is not suspected, unless the clock is further off than this. */
const CLOCKS_APART_MS = 2_000;

/**
 * A lock is the time at which it ends, by the clock of the worker that wrote it. A live worker writes a new time about
 * every second, also where its clock is behind; so the time is part of the claim.
 */
const activeJobs = (schema: string): string => `
  SELECT queue, id, data->>'gameId' AS game_id,
         CASE WHEN locked_until_ms >= extract(epoch FROM clock_timestamp()) * 1000 - $2::integer THEN NULL
              ELSE concat_ws(' ', attempts_started, lock_token, locked_until_ms) END AS claim
  FROM "${schema}".job WHERE queue = ANY($1) AND state = 'active'`;

export async function unlockedInPostgres(withClient: Lending, schema: string): Promise<Unlocked> {
  const values = [[CLEANUP_QUEUE, RETENTION_QUEUE], CLOCKS_APART_MS];
  const answer = await withClient((client) => client.query(activeJobs(schema), values));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the columns and their types are BullMQ's own schema
  const rows = answer.rows as Row[];
  const jobs = rows.flatMap(({ queue, id, game_id: gameId, claim }) =>
    claim === null ? [] : [{ queue, jobId: id, gameId: gameId ?? '', claim }],
  );
  return { active: rows.length, jobs };
}
