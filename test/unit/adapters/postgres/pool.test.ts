import { describe, expect, test } from 'vitest';
import { poolOptions } from '../../../../src/adapters/postgres/pool.js';
import { startupOptions } from '../../../../src/adapters/postgres/session/session-settings.js';

const optionsFor = (connectionString: string) => poolOptions({ connectionString, applicationName: 'worker', max: 7 });

describe('the options of a pool', () => {
  test('a pool limits every wait, and its sessions have the settings of this program', () => {
    const { Client, ...limits } = optionsFor('postgresql://u:p@db/games');
    expect(Client).toBeDefined();
    expect(limits).toEqual({
      connectionString: 'postgresql://u:p@db/games',
      application_name: 'worker',
      max: 7,
      options: startupOptions(),
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
      idleTimeoutMillis: 30_000,
      lock_timeout: 5_000,
      statement_timeout: 10_000,
      idle_in_transaction_session_timeout: 15_000,
      query_timeout: 15_000,
    });
  });

  test('a pool keeps the options of the connection string, before our own', () => {
    const { connectionString, options } = optionsFor(
      'postgresql://db/games?sslmode=require&options=-c%20work_mem%3D5MB',
    );
    expect(connectionString).toBe('postgresql://db/games?sslmode=require');
    expect(options).toBe(`-c work_mem=5MB ${startupOptions()}`);
  });

  test('the schema public, as Prisma writes it, is accepted, and any other is refused', () => {
    expect(optionsFor('postgresql://db/games?schema=public').connectionString).toBe('postgresql://db/games');
    expect(() => optionsFor('postgresql://db/games?schema=games')).toThrow(
      'DATABASE_URL asks for schema=games; the tables of this service live in the schema public: leave schema out',
    );
  });

  test.each([
    '/var/run/postgresql games',
    'socket:/run/postgresql?db=games',
    'postgresql://u:p@db/games?application_name=x',
  ])('the connection string %s stays unchanged', (connectionString) =>
    expect(optionsFor(connectionString).connectionString).toBe(connectionString),
  );
});
