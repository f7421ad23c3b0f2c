/**
 * How a PostgreSQL server or a pooler says that it takes no more connections. A file of its own because the pools, the
 * migrations and `doctor` ask it, and because the texts belong to several products.
 */

/** "Too many connections": of the server, of the database, of the role. */
export const TOO_MANY_CONNECTIONS = '53300';

/** Poolers use other codes, such as 08P01 and XX000; their texts differ from all others. */
const REFUSALS = [
  /sorry, too many clients already/i,
  /remaining connection slots are reserved/i,
  /too many connections/i,
  /no more connections allowed/i, // PgBouncer: max_client_conn
  /max(?:imum)? (?:client )?connections? reached/i, // Supavisor
  /max clients reached/i, // Supavisor: a session mode without free connections
  /too many (?:active )?clients/i, // Odyssey
  /client connections? limit (?:is )?(?:exceeded|reached)/i,
];

/** Whether an error, of the driver or of a library around it, is such a refusal. */
export function isServerFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && error.code === TOO_MANY_CONNECTIONS) return true;
  return REFUSALS.some((refusal) => refusal.test(error.message));
}

export const SERVER_FULL_CURE =
  'raise the limit that is reached (max_connections of the server, CONNECTION LIMIT of the database or the role, or that of the pooler), or lower RTMANAGER_MAX_CONNECTIONS, the most connections of each process of this service';

/** The refusal with its cure. */
export const serverFullText = (refusal: string): string =>
  refusal.includes(SERVER_FULL_CURE)
    ? refusal
    : `${refusal}; no connection is free: this goes on by itself when one is, or ${SERVER_FULL_CURE}`;
