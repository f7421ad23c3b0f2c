/** A database of the demonstration's own on the user's server, so that no live platform is ever touched. */
import { Client } from 'pg';
import { ConfigurationError, messageOf } from '../../src/domain/errors.js';

const PATIENCE_MS = 10_000;
/** Not even the right to make a database: an outage looks different. */
const INSUFFICIENT_PRIVILEGE = '42501';

export interface OwnDatabase {
  readonly url: string;
  readonly drop: () => Promise<void>;
}

/**
 * Creates it beside the database of `databaseUrl`, with the same user.
 *
 * @throws ConfigurationError when that user may not
 */
export async function createOwnDatabase(databaseUrl: string, runId: string): Promise<OwnDatabase> {
  const name = `runtime_cleanup_demo_${runId}`;
  try {
    await run(databaseUrl, `CREATE DATABASE ${name}`);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === INSUFFICIENT_PRIVILEGE)) throw error;
    throw new ConfigurationError(
      `the demo makes a database of its own on the server of DATABASE_URL, and its user may not (${messageOf(error)}); ` +
        'give it CREATEDB, or unset DATABASE_URL to use an embedded PostgreSQL',
      { cause: error },
    );
  }
  const url = new URL(databaseUrl);
  url.pathname = `/${name}`;
  // Connections of processes that were killed may still be there.
  return { url: url.href, drop: () => run(databaseUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

/** The name is made of our own letters; neither statement takes parameters. */
async function run(connectionString: string, statement: string): Promise<void> {
  const client = new Client({ connectionString, connectionTimeoutMillis: PATIENCE_MS });
  // A connection that breaks is told by the call that uses it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(statement);
  } finally {
    await client.end().catch(() => undefined);
  }
}
