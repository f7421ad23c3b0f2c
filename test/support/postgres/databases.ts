import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';

const TEMPLATE = 'migrated_template';
// Any number will do; all who make databases on one server agree on it here.
const TEMPLATE_LOCK = 7_204_511;
const migrationsDir = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));

export interface TestDatabase {
  readonly url: string;
  /** Removes the database, also while a client is connected to it. */
  readonly drop: () => Promise<void>;
}

export interface Databases {
  /** A new database with nothing in it. */
  readonly empty: () => Promise<TestDatabase>;
  /** A new database with all migrations applied; a copy of one that is built once per server. */
  readonly migrated: () => Promise<TestDatabase>;
}

/** Makes databases on the server that `serverUrl` names as its superuser. */
export const databasesOn = (serverUrl: string): Databases => {
  const urlOf = (name: string): string => {
    const url = new URL(serverUrl);
    url.pathname = `/${name}`;
    return url.href;
  };

  const asAdmin = async <T>(work: (admin: Client) => Promise<T>): Promise<T> => {
    const admin = new Client({ connectionString: serverUrl });
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.end();
    }
  };

  const createFrom = async (template: string): Promise<TestDatabase> => {
    const name = `test_${randomBytes(8).toString('hex')}`;
    await asAdmin((admin) => admin.query(`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`));
    return {
      url: urlOf(name),
      drop: async () => {
        await asAdmin((admin) => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
      },
    };
  };

  /** The template exists only once it is complete: it is built under another name. */
  const buildTemplate = async (admin: Client): Promise<void> => {
    const { migrate } = await import('../../../src/adapters/postgres/migrations/migrate.js');
    const unfinished = `${TEMPLATE}_unfinished`;
    await admin.query(`DROP DATABASE IF EXISTS ${unfinished} WITH (FORCE)`);
    await admin.query(`CREATE DATABASE ${unfinished} STRATEGY file_copy`);
    await migrate({ connectionString: urlOf(unfinished), migrationsDir });
    await admin.query(`ALTER DATABASE ${unfinished} RENAME TO ${TEMPLATE}`);
  };

  const ensureTemplate = (): Promise<void> =>
    asAdmin(async (admin) => {
      // Released with the connection.
      await admin.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
      const { rowCount } = await admin.query('SELECT FROM pg_database WHERE datname = $1', [TEMPLATE]);
      if (rowCount === 0) await buildTemplate(admin);
    });

  return {
    empty: () => createFrom('template1'),
    migrated: async () => {
      await ensureTemplate();
      return createFrom(TEMPLATE);
    },
  };
};
