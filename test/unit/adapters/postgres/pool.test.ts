import { afterEach, describe, expect, test, vi } from 'vitest';
import { Client } from 'pg';
import { poolOptions, sessionOptions } from '../../../../src/adapters/postgres/pool.js';

const optionsFor = (connectionString: string) => poolOptions({ connectionString, applicationName: 'worker', max: 7 });

describe('the options of a pool', () => {
  test('a pool limits every wait, and its sessions run in UTC', () => {
    const { Client: clientOfPool, ...limits } = optionsFor('postgresql://u:p@db/games');
    expect(clientOfPool).toBeDefined();
    expect(limits).toEqual({
      host: 'db',
      user: 'u',
      password: 'p',
      database: 'games',
      application_name: 'worker',
      ssl: false,
      max: 7,
      options: '-c TimeZone=UTC -c search_path=public',
      keepAlive: true,
      connectionTimeoutMillis: 30_000,
      idleTimeoutMillis: 30_000,
      maxLifetimeSeconds: 900,
      lock_timeout: 5_000,
      statement_timeout: 10_000,
      idle_in_transaction_session_timeout: 15_000,
      query_timeout: 15_000,
    });
  });

  test('a pool keeps the session settings of the address, before our own', () => {
    const { options } = optionsFor('postgresql://u@db/games?options=-c%20work_mem%3D5MB');
    expect(options).toBe('-c work_mem=5MB -c TimeZone=UTC -c search_path=public');
  });

  test('a pool gets the TLS parameters of the address in the form of the driver', () => {
    const { ssl, sslnegotiation } = optionsFor('postgresql://u@db/games?sslmode=require&sslnegotiation=direct');
    expect({ ssl, sslnegotiation }).toEqual({ ssl: { rejectUnauthorized: false }, sslnegotiation: 'direct' });
  });
});

test('an address that cannot be used is refused with the variable and the reason', () => {
  expect(() => optionsFor('postgresql://a,b/games')).toThrow(
    /^DATABASE_URL cannot be used: several hosts are not supported/,
  );
});

describe('the place where a client connects', () => {
  afterEach(() => vi.unstubAllEnvs());

  const placeOf = (address: string) => {
    const { host, port, user, database, password } = new Client(sessionOptions(address, 'test'));
    return { host, port, user, database, password };
  };
  const other = { PGHOST: 'other', PGPORT: '1', PGUSER: 'nobody', PGPASSWORD: 'secret', PGDATABASE: 'none' };

  test('the environment of libpq changes no part that the address names', () => {
    for (const [name, value] of Object.entries(other)) vi.stubEnv(name, value);
    expect(placeOf('postgresql://u:p@db:7000/games')).toEqual({
      host: 'db',
      port: 7000,
      user: 'u',
      database: 'games',
      password: 'p',
    });
  });

  test('the environment of libpq gives the parts that the address leaves out', () => {
    for (const [name, value] of Object.entries(other)) vi.stubEnv(name, value);
    expect(placeOf('postgresql://')).toEqual({
      host: 'other',
      port: 1,
      user: 'nobody',
      database: 'none',
      password: 'secret',
    });
  });

  test('without either, a client connects to this machine, and the database has the name of the user', () => {
    expect(placeOf('postgresql://u@')).toEqual({
      host: 'localhost',
      port: 5432,
      user: 'u',
      database: 'u',
      password: null,
    });
  });
});
