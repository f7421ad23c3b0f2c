import { inject } from 'vitest';
import { databasesOn, type TestDatabase } from './databases.js';

export type { TestDatabase } from './databases.js';

/** A new database with nothing in it, on this run's server. */
export const createDatabase = (): Promise<TestDatabase> => databasesOn(inject('postgresUrl')).empty();

/** A new database with all migrations applied, on this run's server. */
export const createMigratedDatabase = (): Promise<TestDatabase> => databasesOn(inject('postgresUrl')).migrated();
