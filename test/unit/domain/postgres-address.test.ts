import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPostgresAddress, parsePostgresAddress } from '../../../src/domain/postgres-address.js';

const nothing = {
  kind: 'network',
  host: null,
  port: null,
  user: null,
  password: null,
  database: null,
  options: '',
  applicationName: null,
  connectTimeoutMs: null,
  bindsChannel: false,
  tls: {},
};
const login = { user: 'u', password: 'p' };
const games = { ...nothing, database: 'games' };
const socket = (host: string) => ({ kind: 'socket', host });

describe('the address of PostgreSQL', () => {
  it.each([
    ['postgresql://', nothing],
    ['postgres:///games', games],
    ['POSTGRESQL://db', { ...nothing, host: 'db' }],
    ['postgresql://u@db', { ...nothing, host: 'db', user: 'u' }],
    ['postgresql://u:p@db:6432/games', { ...games, ...login, host: 'db', port: 6432 }],
    ['postgresql://:p@db:/', { ...nothing, host: 'db', password: 'p' }],
    ['postgresql://u:p@/games', { ...games, ...login }],
    ['postgresql://u:p@[::1]:7000/games', { ...games, ...login, host: '::1', port: 7000 }],
    ['postgresql://[fe80::1%25eth0]', { ...nothing, host: 'fe80::1%eth0' }],
    ['postgresql://u:p@db/a%2Fb%3Fc%23d', { ...nothing, ...login, host: 'db', database: 'a/b?c#d' }],
    ['postgresql:///?dbname=games&user=u&password=p&host=db&port=7', { ...games, ...login, host: 'db', port: 7 }],
  ])('%s is read as its parts', (text, parts) => {
    expect(parsePostgresAddress(text)).toEqual(parts);
  });

  it.each([
    ['postgresql:///games?host=/run/postgresql&user=u', { ...games, ...socket('/run/postgresql'), user: 'u' }],
    ['postgresql:///games?host=%2Frun%2Fpostgresql', { ...games, ...socket('/run/postgresql') }],
    ['postgresql://%2Frun%2Fpostgresql:6432/games', { ...games, ...socket('/run/postgresql'), port: 6432 }],
    ['postgresql://u:p@/games?host=/cloudsql/a:eu:b', { ...games, ...login, ...socket('/cloudsql/a:eu:b') }],
    ['postgresql://u:p@localhost/games?host=/cloudsql/a:eu:b', { ...games, ...login, ...socket('/cloudsql/a:eu:b') }],
  ])('%s is read as a Unix socket', (text, parts) => {
    expect(parsePostgresAddress(text)).toEqual(parts);
  });

  it.each([
    ['options=-c%20work_mem%3D5MB', { options: '-c work_mem=5MB' }],
    ['options=-c+work_mem=5MB&options=-c%20jit=off', { options: '-c work_mem=5MB -c jit=off' }],
    ['application_name=day%20shift', { applicationName: 'day shift' }],
    ['connect_timeout=7', { connectTimeoutMs: 7_000 }],
    ['connect_timeout=0', {}],
    ['channel_binding=require', { bindsChannel: true }],
    ['sslmode=verify-full&sslrootcert=/ca.pem', { tls: { sslmode: 'verify-full', sslrootcert: '/ca.pem' } }],
    ['schema=public&pgbouncer=true&connection_limit=1&pool_timeout=0', {}],
    ['target_session_attrs=read-write&load_balance_hosts=disable&keepalives=1', {}],
    ['user=me@tenant', { user: 'me@tenant' }],
    ['host=&port=', {}],
  ])('the parameters %s are read', (parameters, parts) => {
    expect(parsePostgresAddress(`postgresql://u:p@db/games?${parameters}`)).toEqual({
      ...games,
      ...login,
      host: 'db',
      ...parts,
    });
  });

  const RESERVED = String.raw`a:/?#[]@!$&'()*+,;= b`;

  it.each([RESERVED, encodeURIComponent(RESERVED), encodeURIComponent('100 %'), '100%', '%q%40'])(
    'the password %j may hold each reserved character, escaped or not',
    (written) => {
      const password = decodeURIComponent(written.replace(/%(?![\dA-F])/, '%25'));
      const parts = { ...games, user: 'u', password, host: 'db', port: 7000 };
      expect(parsePostgresAddress(`postgresql://u:${written}@db:7000/games`)).toEqual(parts);
      expect(parsePostgresAddress(`postgresql://u:${written}@db:7000/games?sslmode=disable`)).toEqual({
        ...parts,
        tls: { sslmode: 'disable' },
      });
    },
  );

  it('a user may hold an "@", as on Azure', () => {
    expect(parsePostgresAddress('postgresql://me@tenant:p@db')).toEqual({
      ...nothing,
      host: 'db',
      user: 'me@tenant',
      password: 'p',
    });
  });

  const SEVERAL = 'several hosts are not supported: name one host that leads to the primary';

  it.each([
    ['db:5432/games', 'it needs a scheme'],
    ['host=db dbname=games', 'it needs a scheme'],
    ['mysql://db/games', 'the scheme mysql:// is not supported'],
    ['socket:/run/postgresql?db=games', 'it needs a scheme'],
    ['postgresql+psycopg2://db/games', 'the scheme postgresql+psycopg2:// is not supported'],
    ['postgresql://[db/games', 'host and port cannot be read; an IPv6 address is written in brackets'],
    ['postgresql://::1/games', 'host and port cannot be read; an IPv6 address is written in brackets'],
    ['postgresql://db:port/games', 'the port is a number from 1 to 65535'],
    ['postgresql://db:0/games', 'the port is a number from 1 to 65535'],
    ['postgresql://db:70000/games', 'the port is a number from 1 to 65535'],
    ['postgresql://a,b/games', SEVERAL],
    ['postgresql://a:1,b:2/games', SEVERAL],
    ['postgresql://[::1]:1,[::2]:2/games', SEVERAL],
    ['postgresql:///games?host=a,b', SEVERAL],
    ['postgresql://a/games?port=1,2', SEVERAL],
    ['postgresql:///games?host=run/postgresql', 'the host cannot be read; a Unix socket is written as host=/folder'],
    ['postgresql:///games?host=@abstract', 'a socket in the abstract namespace is not supported'],
    [
      'postgresql:///games?host=/run/postgresql/.s.PGSQL.6432',
      'a socket is named by its folder: write host=/run/postgresql&port=6432',
    ],
    [`postgresql:///games?host=/${'x'.repeat(107)}`, 'is longer than the'],
    ['postgresql://u:p%ff@db', 'it has a percent escape that is not a character; write a "%" as %25'],
    ['postgresql://u%00x@db', 'it has a NUL character'],
    ['postgresql://d\nb', 'it has a control character'],
    ['postgresql://db?connect_timeout=soon', 'connect_timeout is a whole number of seconds, at most 9999'],
    [
      'postgresql://db?schema=games',
      'schema=games cannot be used: the tables of this service are in the schema public',
    ],
    [
      'postgresql://db?target_session_attrs=standby',
      'target_session_attrs=standby cannot be used: this program writes, so it needs the primary',
    ],
    ['postgresql://db?client_encoding=LATIN1', 'client_encoding=LATIN1 cannot be used: the session is always UTF-8'],
    ['postgresql://db?gssencmode=require', 'gssencmode=require cannot be used: GSSAPI is not supported'],
    ['postgresql://db?service=games', 'the parameter service is refused: no service file is read'],
    ['postgresql://db?passfile=/x', 'the parameter passfile is refused: set PGPASSFILE to that file instead'],
    ['postgresql://db?hostaddr=10.0.0.1', 'the parameter hostaddr is refused: write the address as host'],
    [
      'postgresql://db?statement_timeout=1',
      'the parameter statement_timeout is refused: it is not known; leave it out',
    ],
    ['postgresql://db?password=a&b', 'a parameter is not known; an "&" in a password is written as %26'],
    ['postgresql://db?toString=1', 'the parameter toString is refused: it is not known; leave it out'],
  ])('%j is refused with the reason', (text, why) => {
    expect(parsePostgresAddress(text)).toEqual({ kind: 'invalid', why: expect.stringContaining(why) });
  });

  it('an address that is written as text is read as the same parts', () => {
    const word = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 8 })
      .filter((text) => !/\p{Cc}/u.test(text) && text.isWellFormed());
    const parts = fc.record({
      user: word,
      database: word,
      options: fc.constantFrom('', '-c jit=off'),
      applicationName: fc.option(word),
      password: fc.option(word),
      port: fc.option(fc.integer({ min: 1, max: 65_535 })),
      connectTimeoutMs: fc.constantFrom(null, 9_000),
      bindsChannel: fc.boolean(),
      tls: fc.constantFrom({}, { sslmode: 'require', sslrootcert: '/a folder/ca.pem' }),
    });
    const place = fc.constantFrom(
      { kind: 'network', host: 'db' } as const,
      { kind: 'network', host: '::1' } as const,
      { kind: 'network', host: null } as const,
      { kind: 'socket', host: '/run/a:b c' } as const,
    );
    fc.assert(
      fc.property(parts, place, (one, other) => {
        expect(parsePostgresAddress(formatPostgresAddress({ ...one, ...other }))).toEqual({ ...one, ...other });
      }),
      { numRuns: 100 },
    );
  });
});
