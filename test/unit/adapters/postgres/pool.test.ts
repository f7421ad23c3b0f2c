import { afterEach, describe, expect, test, vi } from 'vitest';
import { Client } from 'pg';
import { poolOptions } from '../../../../src/adapters/postgres/pool.js';
import { driverConfig, sessionOptions } from '../../../../src/adapters/postgres/session/session-options.js';
import { startupOptions } from '../../../../src/adapters/postgres/session/session-settings.js';

const optionsFor = (connectionString: string) => poolOptions({ connectionString, applicationName: 'worker', max: 7 });

describe('the options of a pool', () => {
  test('a pool limits every wait, and its sessions have the settings of this program', () => {
    const { Client: clientOfPool, sockets, currentTls, ...limits } = optionsFor('postgresql://u:p@db/games');
    expect([clientOfPool, sockets, currentTls]).not.toContain(undefined);
    expect(limits).toEqual({
      host: 'db',
      user: 'u',
      password: 'p',
      database: 'games',
      application_name: 'worker',
      ssl: false,
      max: 7,
      options: startupOptions(),
      keepAlive: true,
      connectTimeoutMs: 5_000,
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
    expect(options).toBe(`-c work_mem=5MB ${startupOptions()}`);
  });

  test('a pool gets the TLS parameters of the address in the form of the driver', () => {
    const { ssl, sslnegotiation } = optionsFor('postgresql://u@db/games?sslmode=require&sslnegotiation=direct');
    expect({ ssl, sslnegotiation }).toEqual({ ssl: { rejectUnauthorized: false }, sslnegotiation: 'direct' });
  });
});

test('the time to connect that the address names is that of each connection, and a pool waits no shorter', () => {
  const options = optionsFor('postgresql://u@db/games?connect_timeout=60');
  expect(driverConfig(options).connectionTimeoutMillis).toBe(60_000);
  expect(options.connectionTimeoutMillis).toBe(60_000);
  expect(driverConfig(optionsFor('postgresql://u@db/games?connect_timeout=2')).connectionTimeoutMillis).toBe(2_000);
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
