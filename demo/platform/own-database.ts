/** A separate database on the user's server, so that the demo never touches a live platform. */
import { Client } from 'pg';
import { addressOf, driverConfig, sessionOptions } from '../../src/adapters/postgres/session/session-options.js';
import { ConfigurationError, messageOf } from '../../src/domain/errors.js';
import { formatPostgresAddress } from '../../src/domain/postgres-address.js';

/** PostgreSQL's error code: the user may not create a database. */
const INSUFFICIENT_PRIVILEGE = '42501';

export interface OwnDatabase {
  readonly url: string;
  readonly drop: () => Promise<void>;
}

/**
 * Creates it on the server of `databaseUrl`, as the same user.
 *
 * @throws ConfigurationError when that user may not create databases
 */
export async function createOwnDatabase(databaseUrl: string, runId: string): Promise<OwnDatabase> {
  const name = `runtime_cleanup_demo_${runId}`;
  try {
    await run(databaseUrl, `CREATE DATABASE ${name}`);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === INSUFFICIENT_PRIVILEGE)) throw error;
    throw new ConfigurationError(
      `the demo creates a database of its own on the server of DATABASE_URL, and the user of that URL may not (${messageOf(error)}); ` +
        'give it CREATEDB, or unset DATABASE_URL to use an embedded PostgreSQL',
      { cause: error },
    );
  }
  const url = formatPostgresAddress({ ...addressOf(databaseUrl), database: name });
  // FORCE: connections of killed processes may still be open, and would keep the database from being dropped.
  return { url, drop: () => run(databaseUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

/** Neither statement takes parameters; the name is safe to insert, because the demo itself makes it of letters and digits. */
async function run(connectionString: string, statement: string): Promise<void> {
  // Neither statement depends on a setting of the session, and a pooler would refuse the options.
  const { options: _, ...config } = driverConfig(sessionOptions(connectionString, 'runtime-cleanup demo'));
  const client = new Client(config);
  // A broken connection is reported by the call that uses it; without a listener it would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(statement);
  } finally {
    await client.end().catch(() => undefined);
  }
}
