import type { Pool } from 'pg';
import { withUnavailable } from './failure.js';

/** One limit on connections, and how many it counts now. */
export interface ConnectionLimit {
  /** As an operator knows it: `max_connections`, for example. */
  readonly name: string;
  readonly most: number;
  readonly used: number;
}

export interface ConnectionUsage {
  /** Those that apply to this role, that of the server first. */
  readonly limits: readonly ConnectionLimit[];
  /** Of all processes of this service on this server, `doctor` with them. */
  readonly ours: number;
}

/**
 * Every role may read these columns. A superuser is bound by no limit of the database or the role, and may use the slots
 * that are reserved. BullMQ names the connections on which it listens after its queues.
 */
const USAGE = `
WITH client AS (SELECT * FROM pg_stat_activity WHERE datid IS NOT NULL),
role AS (SELECT oid, rolsuper, CASE WHEN rolsuper THEN -1 ELSE rolconnlimit END AS most FROM pg_roles WHERE rolname = current_user),
db AS (SELECT oid, datname, datconnlimit AS most FROM pg_database WHERE datname = current_database())
SELECT (SELECT rolsuper FROM role) AS super,
       current_setting('max_connections')::int AS server_most,
       current_setting('superuser_reserved_connections')::int
         + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved,
       (SELECT count(*) FROM client)::int AS server_used,
       current_database() AS db_name, (SELECT most FROM db)::int AS db_most,
       (SELECT count(*) FROM client WHERE datid = (SELECT oid FROM db))::int AS db_used,
       current_user AS role_name, (SELECT most FROM role)::int AS role_most,
       (SELECT count(*) FROM client WHERE usesysid = (SELECT oid FROM role))::int AS role_used,
       (SELECT count(*) FROM client WHERE application_name LIKE 'runtime-cleanup%'
          OR application_name = 'runtime-retention')::int AS ours`;

interface Row {
  readonly super: boolean;
  readonly server_most: number;
  readonly reserved: number;
  readonly server_used: number;
  readonly db_name: string;
  readonly db_most: number;
  readonly db_used: number;
  readonly role_name: string;
  readonly role_most: number;
  readonly role_used: number;
  readonly ours: number;
}

/** Through a pooler these are the connections of the pooler to its server. */
export async function readConnectionUsage(pool: Pick<Pool, 'query'>): Promise<ConnectionUsage> {
  const { rows } = await withUnavailable(() => pool.query<Row>(USAGE));
  return { limits: rows.flatMap(limitsOf), ours: rows[0]?.ours ?? 0 };
}

function limitsOf(row: Row): readonly ConnectionLimit[] {
  const reserved = row.super ? 0 : row.reserved;
  const server = {
    name: reserved === 0 ? 'max_connections' : `max_connections (less ${reserved} reserved)`,
    most: row.server_most - reserved,
    used: row.server_used,
  };
  const database = { name: `CONNECTION LIMIT of database ${row.db_name}`, most: row.db_most, used: row.db_used };
  const role = { name: `CONNECTION LIMIT of role ${row.role_name}`, most: row.role_most, used: row.role_used };
  return [server, ...[database, role].filter(({ most }) => most >= 0 && !row.super)];
}
