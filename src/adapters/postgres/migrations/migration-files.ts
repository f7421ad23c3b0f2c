import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import { messageOf, MigrationError } from '../../../domain/errors.js';

export interface MigrationFile {
  readonly name: string;
  readonly sql: string;
  /** What is written to the bookkeeping: hex sha256 of the file. */
  readonly checksum: string;
  /** The checksums under which this migration may have been recorded, for either kind of line end that git may write. */
  readonly knownChecksums: ReadonlySet<string>;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The migrations of a Prisma migrations folder, in the order in which they are applied. */
export async function readMigrations(migrationsDir: string): Promise<readonly MigrationFile[]> {
  const names = await namesIn(migrationsDir);
  if (names.length === 0) {
    throw new MigrationError(`${migrationsDir} holds no migrations; install the program again`);
  }
  return Promise.all(names.map((name) => readMigration(migrationsDir, name)));
}

async function namesIn(migrationsDir: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(migrationsDir, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    throw new MigrationError(`cannot read the migrations: ${messageOf(error)}; install the program again`, {
      cause: error,
    });
  }
}

async function readMigration(migrationsDir: string, name: string): Promise<MigrationFile> {
  const file = path.join(migrationsDir, name, 'migration.sql');
  const sql = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new MigrationError(`migration ${name} cannot be read: ${messageOf(error)}`, { cause: error });
  });
  const unix = sql.replaceAll('\r\n', '\n');
  const checksum = sha256(sql);
  return {
    name,
    sql,
    checksum,
    knownChecksums: new Set([checksum, sha256(unix), sha256(unix.replaceAll('\n', '\r\n'))]),
  };
}
