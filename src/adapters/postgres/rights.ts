/** What the roles of this service may do with its tables; deploy/roles.sql grants exactly this. */
import type { ClientBase, Pool } from 'pg';

import { MissingRightError } from '../../domain/errors.js';
import { withUnavailable } from './failure.js';

export type Right = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';
export type RightsKind = 'worker' | 'api' | 'reader';

const READ: readonly Right[] = ['SELECT'];
const CHANGE: readonly Right[] = ['SELECT', 'UPDATE'];
const APPEND: readonly Right[] = ['SELECT', 'INSERT'];
const UPSERT: readonly Right[] = ['SELECT', 'INSERT', 'UPDATE'];
const ALL: readonly Right[] = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];

export const TABLE_RIGHTS: Readonly<Record<string, Readonly<Record<RightsKind, readonly Right[]>>>> = {
  runtime_records: { worker: CHANGE, api: CHANGE, reader: READ },
  operation_log: { worker: APPEND, api: APPEND, reader: READ },
  engines: { worker: UPSERT, api: CHANGE, reader: READ },
  container_looks: { worker: ALL, api: CHANGE, reader: READ },
  game_leases: { worker: UPSERT, api: UPSERT, reader: READ },
  retention_holds: { worker: ALL, api: ALL, reader: READ },
  runtime_cleanup_migrations: { worker: READ, api: READ, reader: READ },
};

/** Every client of BullMQ reads and writes all of its tables, but for the one that says which version they have. */
const QUEUE_RIGHTS: Readonly<Record<RightsKind, readonly Right[]>> = { worker: ALL, api: ALL, reader: READ };

export interface Stores {
  /** Game leases are in PostgreSQL. */
  readonly leases: boolean;
  /** The queue is in PostgreSQL. */
  readonly queue: boolean;
}

export interface RoleRights {
  readonly role: string;
  /** `UPDATE on runtime_records`; empty: the role may do all that is needed. */
  readonly missing: Readonly<Record<RightsKind, readonly string[]>>;
}

interface Row {
  readonly role: string;
  readonly missing: readonly { readonly kind: RightsKind; readonly name: string; readonly right: Right }[] | null;
}

/** $1 to $3: kind, table and right of each need; $4 to $5: kind and right on each table of the queue. */
const MISSING = `
  WITH queue_relations AS (
    SELECT relations.oid, relname, relkind FROM pg_class AS relations JOIN pg_namespace AS schemas ON schemas.oid = relnamespace
    WHERE nspname = 'bullmq' AND relkind IN ('r', 'S')
  ), needed AS (
    SELECT kind, name, "right", to_regclass('public.' || name) AS oid
    FROM unnest($1::text[], $2::text[], $3::text[]) AS needs (kind, name, "right")
    UNION ALL
    SELECT kind, 'bullmq.' || relname, "right", oid
    FROM unnest($4::text[], $5::text[]) AS needs (kind, "right"), queue_relations
    WHERE relkind = 'r' AND (relname <> 'migration' OR "right" = 'SELECT')
    UNION ALL
    SELECT kind, 'bullmq.' || relname, 'USAGE', oid
    FROM unnest($4::text[], $5::text[]) AS needs (kind, "right"), queue_relations
    WHERE relkind = 'S' AND "right" = 'INSERT'
    UNION ALL
    SELECT kind, 'the schema bullmq', 'USAGE', NULL
    FROM unnest($4::text[], $5::text[]) AS needs (kind, "right"), pg_namespace
    WHERE nspname = 'bullmq' AND "right" = 'SELECT' AND NOT has_schema_privilege(pg_namespace.oid, 'USAGE')
  ), lacking AS (
    SELECT kind, name, "right" FROM needed
    WHERE CASE WHEN "right" <> 'USAGE' THEN NOT has_table_privilege(oid, "right")
               WHEN oid IS NULL THEN true
               ELSE NOT has_sequence_privilege(oid, 'USAGE') END
  )
  SELECT current_user AS role, (SELECT json_agg(lacking) FROM lacking) AS missing`;

/** Reads the catalogue only, so that any role may ask. A table that is not there yet is not missing a right. */
export async function readRights(pool: Pool, stores: Stores): Promise<RoleRights> {
  const needs = Object.entries(TABLE_RIGHTS)
    .filter(([name]) => stores.leases || name !== 'game_leases')
    .flatMap(([name, byKind]) => flatten(byKind).map(({ kind, right }) => ({ kind, name, right })));
  const queueNeeds = stores.queue ? flatten(QUEUE_RIGHTS) : [];
  const { rows } = await withUnavailable(() =>
    pool.query<Row>(MISSING, [
      needs.map(({ kind }) => kind),
      needs.map(({ name }) => name),
      needs.map(({ right }) => right),
      queueNeeds.map(({ kind }) => kind),
      queueNeeds.map(({ right }) => right),
    ]),
  );
  const missing = rows[0]?.missing ?? [];
  const lackedBy = (wanted: RightsKind): readonly string[] =>
    missing.filter(({ kind }) => kind === wanted).map(({ name, right }) => `${right} on ${name}`);
  return {
    role: rows[0]?.role ?? '?',
    missing: { worker: lackedBy('worker'), api: lackedBy('api'), reader: lackedBy('reader') },
  };
}

/** Rejects with `MissingRightError` unless the role of the pool may do all that this kind of process does. */
export async function requireRights(pool: Pool, kind: RightsKind, stores: Stores): Promise<void> {
  const { role, missing } = await readRights(pool, stores);
  if (missing[kind].length === 0) return;
  throw new MissingRightError('postgresql', `the role "${role}" lacks ${shortList(missing[kind])}`);
}

/**
 * Gives the roles of deploy/roles.sql their rights on new tables, in the transaction that makes these. That file leaves a
 * function for it, which is called only if it belongs to the role that calls it: in `public` other roles may have made it.
 */
export async function grantRights(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ found: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_proc WHERE oid = to_regprocedure('public.runtime_cleanup_grant()')
                    AND pg_get_userbyid(proowner) = current_user) AS found`,
  );
  if (rows[0]?.found === true) await client.query('SELECT public.runtime_cleanup_grant()');
}

const SHOWN = 8;

export function shortList(rights: readonly string[]): string {
  const shown = rights.slice(0, SHOWN).join(', ');
  return rights.length > SHOWN ? `${shown} and ${rights.length - SHOWN} more` : shown;
}

const flatten = (byKind: Readonly<Record<RightsKind, readonly Right[]>>) =>
  (['worker', 'api', 'reader'] as const).flatMap((kind) => byKind[kind].map((right) => ({ kind, right })));
