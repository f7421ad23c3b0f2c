import { describe, expect, it } from 'vitest';
import { type DatabaseFacts, databaseFinding } from '../../../../src/app/doctor/database-check.js';

const FINE: DatabaseFacts = {
  version: '18.4',
  zone: 'UTC',
  standby: false,
  closed: false,
  isPooled: false,
  pending: [],
  isUnverified: false,
};
const SERVER = 'PostgreSQL 18.4, session in UTC';

describe("doctor's check of the database", () => {
  it('doctor reports ok for a migrated database that can be written', () => {
    expect(databaseFinding(FINE)).toEqual({ status: 'ok', detail: `${SERVER}, migrated` });
  });

  it('doctor says that a connection pooler stands before the database', () => {
    expect(databaseFinding({ ...FINE, isPooled: true }).detail).toBe(`${SERVER}, behind a connection pooler, migrated`);
  });

  it.each<
    readonly [string, Partial<DatabaseFacts>, Pick<ReturnType<typeof databaseFinding>, 'status' | 'detail' | 'advice'>]
  >([
    [
      'fails at a standby, and leaves out the migrations',
      { standby: true, closed: true, pending: ['20260101_init'] },
      {
        status: 'failed',
        detail: `${SERVER}, is a standby and can only be read`,
        advice: 'promote it, or let DATABASE_URL lead to the primary',
      },
    ],
    [
      'fails where transactions are read-only by a setting',
      { closed: true },
      {
        status: 'failed',
        detail: `${SERVER}, can only be read: default_transaction_read_only is on`,
        advice:
          'set it to off (ALTER DATABASE, ALTER ROLE or postgresql.conf), or let DATABASE_URL lead to the primary',
      },
    ],
    [
      'warns of migrations that are to be applied',
      { pending: ['a', 'b'], isUnverified: true },
      {
        status: 'warn',
        detail: `${SERVER}, 2 migration(s) to apply: a, b`,
        advice: 'run "runtime-cleanup migrate"; a worker whose role owns the tables does it when it starts',
      },
    ],
    [
      'warns of a server whose certificate is not checked',
      { isUnverified: true },
      {
        status: 'warn',
        detail: `${SERVER}, migrated, encrypted, but without a check of the server's certificate`,
        advice:
          'write sslmode=verify-full and sslrootcert into DATABASE_URL, so that no other server can take its place',
      },
    ],
  ])('doctor %s', (_what, facts, finding) => {
    expect(databaseFinding({ ...FINE, ...facts })).toEqual(finding);
  });
});
