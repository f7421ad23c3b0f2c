import { type Client, DatabaseError, type QueryConfig } from 'pg';

import { type Clock, systemClock } from '../../../async/clock.js';
import { messageOf, MigrationError, MigrationForbiddenError } from '../../../domain/errors.js';
import { MISSING_RIGHT } from '../../outage.js';
import { isOutage, withUnavailable } from '../failure.js';
import { readMigrations, type MigrationFile } from './migration-files.js';
import {
  missingMigrations,
  type MigrationState,
  readMigrationState,
  recordMigration,
  takeOverHistory,
} from './migration-history.js';
import { type Patience, takeTurn } from './migration-turn.js';
import { grantRights } from '../rights.js';
import { SessionClient } from '../session/session-client.js';
import { sessionOptions } from '../session/session-options.js';

interface Where {
  readonly connectionString: string;
  /** The folder that holds one folder for each migration. */
  readonly migrationsDir: string;
}

export interface MigrateOptions extends Where {
  /** How long one step may wait for another process that migrates, and for locks of its tables. Default 60,000. */
  readonly lockTimeoutMs?: number;
  /** Called with one line for each step. */
  readonly report?: (line: string) => void;
  readonly clock?: Clock;
}

const DEFAULT_LOCK_TIMEOUT_MS = 60_000;
/** Longer than any wait that the server itself limits: it applies only if the server no longer answers at all. */
const QUERY_TIMEOUT_MS = 10_000;
const SCRIPT_TIMEOUT_MS = 600_000;

/**
 * Applies the migrations that the database lacks and returns their names; any number of processes may call it at once.
 * Each migration and its row are one transaction: one that fails leaves nothing behind and is tried again by the next call.
 *
 * Rejects with `MigrationError` when the database's history and the files do not fit together or the role may not
 * migrate, and with `UnavailableError` when the database cannot answer or keeps a lock.
 */
export async function migrate(options: MigrateOptions): Promise<readonly string[]> {
  const { connectionString, lockTimeoutMs: limitMs = DEFAULT_LOCK_TIMEOUT_MS, report = () => undefined } = options;
  const files = await readMigrations(options.migrationsDir);
  const patience: Patience = {
    clock: options.clock ?? systemClock,
    limitMs,
    report,
    openWatcher: () => connect(connectionString),
  };
  return withClient(connectionString, async (client) => {
    await takeTurn(client, 'the history of migrations', patience, async () => {
      await takeOverHistory(client, files);
      await grantRights(client);
    });
    const applied: string[] = [];
    for (;;) {
      const [next] = await missingMigrations(client, files);
      if (next === undefined) return applied;
      report(`applying migration ${next.name}`);
      if (await applyInTurn(client, { next, files }, patience)) applied.push(next.name);
    }
  });
}

/** What `migrate` would do; changes nothing and waits for no lock. Rejects as `migrate` does. */
export async function migrationState({ connectionString, migrationsDir }: Where): Promise<MigrationState> {
  const files = await readMigrations(migrationsDir);
  return withClient(connectionString, (client) => readMigrationState(client, files));
}

async function withClient<T>(connectionString: string, work: (client: Client) => Promise<T>): Promise<T> {
  return withUnavailable(async () => {
    let client: Client | undefined;
    try {
      client = await connect(connectionString);
      return await work(client);
    } catch (error) {
      switch (sqlState(error)) {
        case '3D000':
          throw new MigrationError(`${messageOf(error)}; create it first: CREATE DATABASE "…"`, { cause: error });
        case MISSING_RIGHT:
          throw new MigrationForbiddenError(messageOf(error), { cause: error });
        default:
          throw error;
      }
    } finally {
      await client?.end().catch(() => undefined);
    }
  });
}

async function connect(connectionString: string): Promise<Client> {
  const options = sessionOptions(connectionString, 'runtime-cleanup migrate');
  const client = new SessionClient({ ...options, query_timeout: QUERY_TIMEOUT_MS });
  await client.connect();
  return client;
}

/** `false`: another process has applied it since it was found to be missing. */
async function applyInTurn(
  client: Client,
  { next, files }: { readonly next: MigrationFile; readonly files: readonly MigrationFile[] },
  patience: Patience,
): Promise<boolean> {
  // pg knows a limit for one query; its types do not.
  const script: QueryConfig & { query_timeout: number } = { text: next.sql, query_timeout: SCRIPT_TIMEOUT_MS };
  try {
    return await takeTurn(client, `migration ${next.name}`, patience, async () => {
      const isMissing = (await missingMigrations(client, files)).some(({ name }) => name === next.name);
      if (!isMissing) return false;
      await client.query(script);
      await recordMigration(client, next);
      await grantRights(client);
      return true;
    });
  } catch (error) {
    if (!(error instanceof DatabaseError) || isOutage(error) || error.code === MISSING_RIGHT) throw error;
    throw new MigrationError(
      `migration ${next.name} failed and was rolled back: ${firstLine(error.message)} (SQLSTATE ${error.code})`,
      { cause: error },
    );
  }
}

function sqlState(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined;
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0] ?? '';
}
