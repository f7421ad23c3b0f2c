import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { checkDatabaseServer } from '../../../src/adapters/postgres/session/database-check.js';
import { createCommandBackend } from '../../../src/app/command-backend.js';
import { systemClock } from '../../../src/async/clock.js';
import type { Check } from '../../../src/cli/command-context.js';
import { ConfigurationError } from '../../../src/domain/errors.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { createDatabase, createDatabaseWith } from '../../support/postgres/database.js';
import { IGNORING_PARAMETERS, type PgBouncer, startPgBouncer } from '../../support/postgres/pgbouncer.js';
import { read } from '../../unit/config/reading.js';
import { A_GOOD_DAY, dayOfWork } from './day-of-work.js';

/** Defaults that no session of this program may inherit. */
const ODD = {
  TimeZone: 'America/New_York',
  DateStyle: 'SQL, DMY',
  IntervalStyle: 'iso_8601',
  search_path: 'pg_catalog',
  client_encoding: 'LATIN1',
  standard_conforming_strings: 'off',
  bytea_output: 'escape',
  extra_float_digits: '-15',
  transform_null_equals: 'on',
  array_nulls: 'off',
  synchronous_commit: 'off',
  row_security: 'off',
  idle_session_timeout: '500',
  idle_in_transaction_session_timeout: '200',
  lock_timeout: '1',
  statement_timeout: '5s',
  transaction_timeout: '5s',
};
/** A transaction cannot change these for itself; behind a pooler the start is refused. */
const ODD_TRANSACTIONS = { default_transaction_isolation: 'serializable', statement_timeout: '1' };

let session: PgBouncer;
let transaction: PgBouncer;

beforeAll(async () => {
  const serverUrl = inject('postgresUrl');
  [session, transaction] = await Promise.all([
    startPgBouncer({ serverUrl, mode: 'session' }),
    startPgBouncer({ serverUrl, mode: 'transaction', settings: IGNORING_PARAMETERS }),
  ]);
});
afterAll(() => Promise.all([session.stop(), transaction.stop()]));

describe("a day's work comes to the same", () => {
  test.each([
    [
      'with odd defaults of database and role',
      { ...ODD, ...ODD_TRANSACTIONS },
      (url: string) => ({ DATABASE_URL: url }),
    ],
    [
      'through PgBouncer in session mode, the queue too, with odd defaults',
      ODD,
      (url: string) => ({ DATABASE_URL: session.urlOf(url) }),
    ],
    [
      'through PgBouncer in transaction mode, which ignores startup parameters, with odd defaults',
      ODD,
      (url: string) => ({ DATABASE_URL: transaction.urlOf(url), RTMANAGER_QUEUE_DATABASE_URL: url }),
    ],
  ])("a day's work comes to the same %s", async (_how, defaults, environmentOf) => {
    const database = await createDatabaseWith(defaults);
    try {
      expect(await dayOfWork({ directUrl: database.url, environment: environmentOf(database.url) })).toEqual(
        A_GOOD_DAY,
      );
    } finally {
      await database.drop();
    }
  });
});

describe('what is refused at the start', () => {
  const refusal = async (url: string): Promise<string> => {
    const error: unknown = await checkDatabaseServer(url).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as Error).message;
  };

  test('a database that is not UTF8 is refused by name', async () => {
    const admin = new Client({ connectionString: inject('postgresUrl') });
    await admin.connect();
    await admin.query('CREATE DATABASE sessions_latin1 ENCODING LATIN1 TEMPLATE template0');
    try {
      const url = new URL(inject('postgresUrl'));
      url.pathname = '/sessions_latin1';
      expect(await refusal(url.href)).toMatch(
        /^the database "sessions_latin1" has the encoding LATIN1.*CREATE DATABASE/,
      );
    } finally {
      await admin.query('DROP DATABASE sessions_latin1 WITH (FORCE)');
      await admin.end();
    }
  });

  test.each(Object.entries(ODD_TRANSACTIONS))(
    '%s = %s is refused behind a pooler, and accepted without one',
    async (name, value) => {
      const database = await createDatabaseWith({ [name]: value });
      try {
        expect(await refusal(session.urlOf(database.url))).toMatch(/cure: ALTER ROLE .* IN DATABASE/);
        expect((await checkDatabaseServer(database.url)).isPooled).toBe(false);
      } finally {
        await database.drop();
      }
    },
  );

  test('a pooler that lends its connections for single statements is refused by name', async () => {
    const pooler = await startPgBouncer({ serverUrl: inject('postgresUrl'), mode: 'statement' });
    try {
      expect(await refusal(pooler.urlOf(inject('postgresUrl')))).toMatch(/refuses transactions.*pool_mode/);
    } finally {
      await pooler.stop();
    }
  });

  test('doctor names the pooler, and the second address that the queue needs where it passes on no notifications', async () => {
    const database = await createDatabase();
    try {
      const context = {
        config: read({ DATABASE_URL: transaction.urlOf(database.url), DOCKER_HOST: 'unix:///no/engine.sock' }),
        log: createLogger({ level: 'silent', name: 'doctor', destination: { write: () => undefined } }),
        clock: systemClock,
        signal: new AbortController().signal,
      };
      const backend = createCommandBackend({ version: '1.2.3', metricsText: undefined });
      await backend.migrate(context, () => undefined);
      const checks: Check[] = [];
      for await (const check of backend.checkDependencies(context)) checks.push(check);
      expect(checks.find(({ name }) => name === 'database')).toMatchObject({
        status: 'ok',
        detail: expect.stringMatching(/session in UTC, behind a connection pooler, migrated$/) as string,
      });
      expect(checks.find(({ name }) => name === 'queue')).toEqual({
        name: 'queue',
        status: 'failed',
        detail:
          'DATABASE_URL leads to a connection pooler that passes on no notifications (LISTEN), which a queue on PostgreSQL ' +
          'needs; set RTMANAGER_QUEUE_DATABASE_URL to the address of the same database without the pooler',
      });
    } finally {
      await database.drop();
    }
  });
});
