import { Client, DatabaseError } from 'pg';

import { DATABASE, SUPERUSER, type Cluster } from './cluster.js';

/** Where a server listens. */
export interface ServerPlace {
  /** The folder of its socket. */
  readonly host: string;
  readonly port: number;
  /** A server of an earlier release asks for one. */
  readonly password?: string | undefined;
}

/**
 * Membership in a running server: one session that holds a shared advisory lock for as long as this process uses the
 * server. A process that leaves asks for the same lock exclusively; only the last member gets it, and may stop the server.
 */
export interface Membership {
  /** Where the server listens. */
  readonly place: ServerPlace;
  /** Leaves; `true` means that there is no other member, and that none can join until `close`. */
  readonly leave: () => Promise<boolean>;
  readonly close: () => Promise<void>;
  /** Calls `fn` when the session is lost. */
  readonly onLost: (fn: () => void) => void;
}

export type JoinAnswer =
  | { readonly status: 'joined'; readonly membership: Membership }
  /** The server is the right one, but is starting or stopping. */
  | { readonly status: 'not_ready'; readonly why: string }
  /** No server answers there. */
  | { readonly status: 'silent'; readonly why: string }
  /** Something else answers there. */
  | { readonly status: 'foreign'; readonly why: string };

const MEMBERS_LOCK = 727_073_690;
const CONNECT_TIMEOUT_MS = 2_000;
const QUERY_TIMEOUT_MS = 5_000;

/** Tries once to become a member of the server of `cluster` that should listen at `place`. */
export async function join(cluster: Pick<Cluster, 'pgData'>, place: ServerPlace): Promise<JoinAnswer> {
  const client = new Client({
    ...place,
    user: SUPERUSER,
    database: DATABASE,
    ssl: false,
    application_name: 'runtime-cleanup member',
    options: '-c idle_session_timeout=0',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ directory: string; joined: boolean }>(
      `SELECT current_setting('data_directory') AS directory, pg_try_advisory_lock_shared($1) AS joined`,
      [MEMBERS_LOCK],
    );
    const answer = judge(rows[0], cluster);
    if (answer === undefined) return { status: 'joined', membership: membershipOf(client, place) };
    await client.end();
    return answer;
  } catch (error) {
    await client.end().catch(() => undefined);
    return refusal(error);
  }
}

function judge(
  row: { readonly directory: string; readonly joined: boolean } | undefined,
  cluster: Pick<Cluster, 'pgData'>,
): JoinAnswer | undefined {
  if (row?.directory !== cluster.pgData) {
    return { status: 'foreign', why: `the server there keeps its data in ${row?.directory}` };
  }
  return row.joined ? undefined : { status: 'not_ready', why: 'its last user is shutting it down' };
}

function refusal(error: unknown): JoinAnswer {
  const why = error instanceof Error ? error.message : String(error);
  if (!(error instanceof DatabaseError)) return { status: 'silent', why };
  // 57P: starting, stopping, restarting after a crash; 53: no room for another connection just now.
  return { status: /^(57P|53)/.test(error.code ?? '') ? 'not_ready' : 'foreign', why };
}

// pg has them; its types do not.
interface Referenced {
  readonly ref: () => void;
  readonly unref: () => void;
}

function membershipOf(client: Client & Partial<Referenced>, place: ServerPlace): Membership {
  let closed = false;
  let lost = false;
  let reportLoss: () => void = () => undefined;
  client.once('end', () => {
    lost = true;
    if (!closed) reportLoss();
  });
  // A process that does not leave must still be able to exit.
  client.unref?.();
  return {
    place,
    leave: async () => {
      client.ref?.();
      await client.query('SELECT pg_advisory_unlock_shared($1)', [MEMBERS_LOCK]);
      const { rows } = await client.query<{ alone: boolean }>('SELECT pg_try_advisory_lock($1) AS alone', [
        MEMBERS_LOCK,
      ]);
      return rows[0]?.alone === true;
    },
    close: async () => {
      closed = true;
      await client.end().catch(() => undefined);
    },
    onLost: (fn) => {
      reportLoss = fn;
      if (lost && !closed) fn();
    },
  };
}
