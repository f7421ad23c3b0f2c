import { migrationState } from '../../adapters/postgres/migrations/migrate.js';
import { checkDatabaseServer } from '../../adapters/postgres/session/database-check.js';
import { isUnverified, UNVERIFIED } from '../../adapters/postgres/session/tls.js';
import { whyReadOnly, WRITE_STATE, type WriteState } from '../../adapters/postgres/writable.js';
import type { Check } from '../../cli/command-context.js';
import { type Database, MIGRATIONS_DIR } from '../connect/database.js';

export interface DatabaseFacts extends WriteState {
  readonly version: string;
  readonly zone: string;
  /** Behind a connection pooler. */
  readonly isPooled: boolean;
  /** Names of migrations that are to be applied. */
  readonly pending: readonly string[];
  /** Encrypted, but the server has not shown who it is. */
  readonly isUnverified: boolean;
}

export async function checkDatabase({ pool, url }: Database): Promise<Omit<Check, 'name'>> {
  const { isPooled } = await checkDatabaseServer(url);
  const { rows } = await pool.query<Pick<DatabaseFacts, 'version' | 'zone' | keyof WriteState>>(
    `SELECT current_setting('server_version') AS version, current_setting('TimeZone') AS zone, ${WRITE_STATE}`,
  );
  const { pending } = await migrationState({ connectionString: url, migrationsDir: MIGRATIONS_DIR });
  const [row = { version: '?', zone: '?', standby: false, closed: false }] = rows;
  return databaseFinding({ ...row, isPooled, pending, isUnverified: isUnverified(pool.options.ssl) });
}

export function databaseFinding(facts: DatabaseFacts): Omit<Check, 'name'> {
  const server = `PostgreSQL ${facts.version}, session in ${facts.zone}${facts.isPooled ? ', behind a connection pooler' : ''}`;
  const readOnly = whyReadOnly(facts);
  if (readOnly !== undefined) return { status: 'failed', detail: `${server}, ${readOnly.what}`, advice: readOnly.cure };
  if (facts.pending.length > 0) {
    const detail = `${server}, ${facts.pending.length} migration(s) to apply: ${facts.pending.join(', ')}`;
    const advice = 'run "runtime-cleanup migrate"; a worker whose role owns the tables does it when it starts';
    return { status: 'warn', detail, advice };
  }
  if (!facts.isUnverified) return { status: 'ok', detail: `${server}, migrated` };
  return { status: 'warn', detail: `${server}, migrated, ${UNVERIFIED.what}`, advice: UNVERIFIED.cure };
}
