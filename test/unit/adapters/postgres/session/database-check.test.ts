import { describe, expect, test } from 'vitest';
import { databaseProblem } from '../../../../../src/adapters/postgres/session/database-check.js';
import type { DatabaseServer } from '../../../../../src/adapters/postgres/session/database-server.js';

const server = (isPooled: boolean, defaults: Readonly<Record<string, string>> = {}): DatabaseServer => ({
  isPooled,
  version: '18.4',
  database: 'games',
  user: 'worker',
  encoding: 'UTF8',
  defaults: new Map(Object.entries(defaults)),
});

const cure = (setting: string): string =>
  `; cure: ALTER ROLE "worker" IN DATABASE "games" SET ${setting}, then let the pooler open new connections (RECONNECT in the console of PgBouncer)`;

describe('a database that is refused at the start', () => {
  test.each(['LATIN1', 'SQL_ASCII'])(
    'a database with the encoding %s is refused, with the statement for another one',
    (encoding) => {
      expect(databaseProblem({ ...server(false), encoding })).toBe(
        `the database "games" has the encoding ${encoding}, which cannot store every game id; create one with UTF8 and name it in the address: CREATE DATABASE "games_utf8" ENCODING 'UTF8' TEMPLATE template0`,
      );
    },
  );

  test.each([
    [
      'default_transaction_isolation',
      'serializable',
      'statements that wait for a row would fail',
      "default_transaction_isolation = 'read committed'",
    ],
    [
      'statement_timeout',
      '5',
      'it would end statements before they can set a limit of their own',
      "statement_timeout = '0'",
    ],
    [
      'transaction_timeout',
      '5',
      'it would end statements before they can set a limit of their own',
      "transaction_timeout = '0'",
    ],
  ])('behind a pooler, %s = %s is refused with its cure', (name, value, why, statement) => {
    expect(databaseProblem(server(true, { [name]: value }))).toBe(
      `a connection pooler stands before the database, and ${name} is ${value} for this role: ${why}${cure(statement)}`,
    );
  });

  test('without a pooler each session is opened with the right settings, and no default is refused', () => {
    expect(
      databaseProblem(server(false, { default_transaction_isolation: 'serializable', statement_timeout: '5' })),
    ).toBeUndefined();
  });

  test('behind a pooler, ordinary defaults are accepted', () => {
    const defaults = { default_transaction_isolation: 'read committed', statement_timeout: '30000' };
    expect(databaseProblem(server(true, defaults))).toBeUndefined();
  });
});
