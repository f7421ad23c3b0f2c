import { Client } from 'pg';
import { inject } from 'vitest';
import { databasesOn, type TestDatabase } from './databases.js';

export type { TestDatabase } from './databases.js';

/** A new database with nothing in it, on this run's server. */
export const createDatabase = (): Promise<TestDatabase> => databasesOn(inject('postgresUrl')).empty();

/** A new database with all migrations applied, on this run's server. */
export const createMigratedDatabase = (): Promise<TestDatabase> => databasesOn(inject('postgresUrl')).migrated();

/** A new database with nothing in it; half of the defaults belong to it, and half to its user there. */
export const createDatabaseWith = async (defaults: Readonly<Record<string, string>>): Promise<TestDatabase> => {
  const database = await createDatabase();
  const admin = new Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  const name = new URL(database.url).pathname.slice(1);
  for (const [at, [setting, value]] of Object.entries(defaults).entries()) {
    const where = at % 2 === 0 ? `DATABASE ${name}` : `ROLE postgres IN DATABASE ${name}`;
    const list = setting === 'search_path' || setting === 'DateStyle' ? value : `'${value}'`;
    await admin.query(`ALTER ${where} SET ${setting} = ${list}`);
  }
  await admin.end();
  return database;
};
