import { DatabaseError, escapeIdentifier, escapeLiteral } from 'pg';
import { ConfigurationError, messageOf } from '../../../domain/errors.js';
import { withUnavailable } from '../failure.js';
import { askServer, type DatabaseServer } from './database-server.js';
import { SessionClient } from './session-client.js';
import { type SessionConfig, sessionOptions } from './session-options.js';

/** Behind a pooler each transaction lifts the limit with its first statement, which needs so much time itself. */
const LEAST_STATEMENT_TIMEOUT_MS = 100;

/** PgBouncer with `pool_mode=statement`: "transaction blocks not allowed in statement pooling mode". */
const NO_TRANSACTIONS = /transaction.* not allowed/i;

/**
 * Asks what the address leads to. Rejects with `ConfigurationError` when a database there cannot be used with right results,
 * and with `UnavailableError` when it does not answer.
 */
export function checkDatabaseServer(connectionString: string): Promise<DatabaseServer> {
  return withUnavailable(async () => {
    const config = sessionOptions(connectionString, 'runtime-cleanup');
    const server = await askServer(config);
    const problem = databaseProblem(server);
    if (problem !== undefined) throw new ConfigurationError(problem);
    if (server.isPooled) await requireTransactions(config);
    return server;
  });
}

async function requireTransactions(config: SessionConfig): Promise<void> {
  const client = new SessionClient(config);
  try {
    await client.connect();
    await client.query('BEGIN').catch((cause: unknown) => {
      // Any other refusal is the server's, such as that of an idle session that it ended just then.
      if (!(cause instanceof DatabaseError && NO_TRANSACTIONS.test(cause.message))) throw cause;
      throw new ConfigurationError(
        `the connection pooler before the database refuses transactions (${messageOf(cause)}); set pool_mode to session or transaction there`,
        { cause },
      );
    });
    await client.query('COMMIT');
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Why no session on this server gives right results, with the statement that cures it. */
export function databaseProblem(server: DatabaseServer): string | undefined {
  const { encoding, database, isPooled } = server;
  if (encoding !== 'UTF8') {
    return (
      `the database ${JSON.stringify(database)} has the encoding ${encoding}, which cannot store every game id; create one ` +
      `with UTF8 and name it in the address: CREATE DATABASE ${escapeIdentifier(`${database}_utf8`)} ENCODING 'UTF8' TEMPLATE template0`
    );
  }
  return isPooled ? pooledProblem(server) : undefined;
}

/** What a transaction cannot change for itself once it has begun. Without a pooler each session is opened with it. */
function pooledProblem({ defaults, user, database }: DatabaseServer): string | undefined {
  const wrong = (name: string, right: string, why: string): string =>
    `a connection pooler stands before the database, and ${name} is ${defaults.get(name)} for this role: ${why}; cure: ` +
    `ALTER ROLE ${escapeIdentifier(user)} IN DATABASE ${escapeIdentifier(database)} SET ${name} = ${escapeLiteral(right)}, ` +
    'then let the pooler open new connections (RECONNECT in the console of PgBouncer)';
  const isolation = defaults.get('default_transaction_isolation');
  if (isolation !== undefined && isolation !== 'read committed') {
    return wrong('default_transaction_isolation', 'read committed', 'statements that wait for a row would fail');
  }
  for (const name of ['statement_timeout', 'transaction_timeout']) {
    const limitMs = Number(defaults.get(name) ?? 0);
    if (limitMs > 0 && limitMs < LEAST_STATEMENT_TIMEOUT_MS) {
      return wrong(name, '0', 'it would end statements before they can set a limit of their own');
    }
  }
  return undefined;
}
