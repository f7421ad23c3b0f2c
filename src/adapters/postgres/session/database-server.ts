import { randomUUID } from 'node:crypto';
import { Client, type ClientConfig, DatabaseError } from 'pg';
import { BugError, ConfigurationError } from '../../../domain/errors.js';
import { isServerFull } from '../server-full.js';
import { driverConfig, type SessionConfig } from './session-options.js';
import { ASKED_SETTINGS } from './session-settings.js';

/** What an address leads to. */
export interface DatabaseServer {
  /**
   * A pooler is in between: a connection is no session of its own there, and it need not have been opened with the startup
   * parameters that were sent.
   */
  readonly isPooled: boolean;
  readonly version: string;
  readonly database: string;
  readonly user: string;
  readonly encoding: string;
  /** What a session starts with, by name; what this version of PostgreSQL does not know is missing. */
  readonly defaults: ReadonlyMap<string, string>;
}

const asked = new Map<string, Promise<DatabaseServer>>();

const keyOf = ({ host, port, user, database }: ClientConfig): string => JSON.stringify([host, port, user, database]);

/** Asks once for each address; an error is not kept, and the next call asks again. */
export function askServer(config: SessionConfig): Promise<DatabaseServer> {
  const key = keyOf(config);
  const known = asked.get(key);
  if (known !== undefined) return known;
  const answer = ask(config);
  asked.set(key, answer);
  answer.catch(() => asked.delete(key));
  return answer;
}

/** The server did not behave as it was found: the next connection asks it again. */
export function forgetServer(config: ClientConfig): void {
  asked.delete(keyOf(config));
}

/** Whether another way to connect would not change the error: login, database, no room, starting or stopping. */
export const concernsEveryConnection = (error: DatabaseError): boolean =>
  isServerFull(error) || /^(?:28|3D|53|57)/.test(error.code ?? '');

/** Cancelled by `statement_timeout`, ended by `transaction_timeout`. */
const OUT_OF_TIME = new Set(['57014', '25P04']);

async function ask(config: SessionConfig): Promise<DatabaseServer> {
  const mark = randomUUID();
  const options = `${config.options ?? ''} -c rtmanager.session=${mark}`.trimStart();
  try {
    const { server, isSame, mark: found } = await question({ ...driverConfig(config), options });
    return { ...server, isPooled: !isSame || found !== mark };
  } catch (error) {
    if (!(error instanceof DatabaseError) || concernsEveryConnection(error)) throw error;
    // Poolers refuse startup parameters that they cannot keep for each client. PostgreSQL knows all that are sent here.
    const { server } = await question(withoutParameters(config)).catch((cause: unknown) => {
      if (!(cause instanceof DatabaseError) || !OUT_OF_TIME.has(cause.code ?? '')) throw error;
      throw new ConfigurationError(
        'a connection pooler stands before the database, and statement_timeout or transaction_timeout is so short by ' +
          'default (of the role, the database or the server) that the first question is not answered; cure: ALTER ROLE … ' +
          "IN DATABASE … SET statement_timeout = '30s'",
        { cause },
      );
    });
    return { ...server, isPooled: true };
  }
}

function withoutParameters(config: SessionConfig): ClientConfig {
  const own = driverConfig(config);
  for (const name of ['options', 'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'] as const) {
    delete own[name];
  }
  return own;
}

interface Answer {
  readonly server: Omit<DatabaseServer, 'isPooled'>;
  /** The session that answers is the one that was opened for this connection. */
  readonly isSame: boolean;
  readonly mark: string | null;
}

/** A pooler gives its clients a key of its own for cancelling, so the number in it is no process of the server. */
const QUESTION = `
  SELECT pg_catalog.pg_backend_pid() AS pid, pg_catalog.current_setting('rtmanager.session', true) AS mark,
         pg_catalog.current_setting('server_version') AS version, pg_catalog.current_database()::text AS database,
         current_user::text AS user, pg_catalog.current_setting('server_encoding') AS encoding,
         (SELECT pg_catalog.array_agg(ARRAY[s.name, s.reset_val]) FROM pg_catalog.pg_settings AS s
          WHERE s.name = ANY($1::text[])) AS defaults`;

interface Row extends Omit<DatabaseServer, 'isPooled' | 'defaults'> {
  readonly pid: number;
  readonly mark: string | null;
  readonly defaults: readonly (readonly [name: string, value: string])[];
}

async function question(config: ClientConfig): Promise<Answer> {
  const client = new Client(config);
  // The query under way rejects with the same error; without a listener it would end the process as well.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const [row] = (await client.query<Row>(QUESTION, [ASKED_SETTINGS])).rows;
    if (row === undefined) throw new BugError('the database was asked what it is and answered with no row');
    const { pid, mark, defaults, ...server } = row;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- pg's types leave the number out
    const { processID } = client as unknown as { readonly processID: number | null };
    return { server: { ...server, defaults: new Map(defaults) }, isSame: pid === processID, mark };
  } finally {
    await client.end().catch(() => undefined);
  }
}
