import { describe, expect, it } from 'vitest';
import { parseRedisAddress } from '../../../src/domain/redis-address.js';

const plain = { tls: false, login: null, database: 0 };
const login = (username: string | null, password: string) => ({ login: { username, password } });

describe('the address of Redis', () => {
  it.each([
    ['redis://cache', { kind: 'server', host: 'cache', port: 6379, ...plain }],
    [
      'rediss://u:p@cache:6380/2',
      { kind: 'server', host: 'cache', port: 6380, tls: true, database: 2, ...login('u', 'p') },
    ],
    ['redis://:p@cache/', { kind: 'server', host: 'cache', port: 6379, ...plain, ...login(null, 'p') }],
    ['redis://cache?db=3', { kind: 'server', host: 'cache', port: 6379, ...plain, database: 3 }],
    ['redis://[::1]:7000', { kind: 'server', host: '::1', port: 7000, ...plain }],
    ['unix:///run/redis.sock?db=4', { kind: 'socket', socketPath: '/run/redis.sock', ...plain, database: 4 }],
    ['unix://u:p@/run/redis.sock', { kind: 'socket', socketPath: '/run/redis.sock', ...plain, ...login('u', 'p') }],
    [
      'redis-cluster://:p@a:7001,b,[::1]:7003',
      {
        kind: 'cluster',
        nodes: [
          { host: 'a', port: 7001 },
          { host: 'b', port: 6379 },
          { host: '::1', port: 7003 },
        ],
        ...plain,
        ...login(null, 'p'),
      },
    ],
    ['rediss-cluster://a', { kind: 'cluster', nodes: [{ host: 'a', port: 6379 }], ...plain, tls: true }],
    [
      'redis-sentinel://u:p@a,b:26380/1?sentinelUsername=s&sentinelPassword=q#main',
      {
        kind: 'sentinel',
        nodes: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 26_380 },
        ],
        master: 'main',
        sentinelLogin: { username: 's', password: 'q' },
        tls: false,
        database: 1,
        ...login('u', 'p'),
      },
    ],
  ])('%s is read as its parts', (text, parts) => {
    expect(parseRedisAddress(text)).toEqual(parts);
  });

  const RESERVED = String.raw`a:/?#[]@!$&'()*+,;= b`;

  it.each([RESERVED, encodeURIComponent(RESERVED), encodeURIComponent('100 %')])(
    'the password %j may hold each reserved character, escaped or not',
    (written) => {
      expect(parseRedisAddress(`redis://u:${written}@cache:7000/1`)).toEqual({
        kind: 'server',
        host: 'cache',
        port: 7000,
        tls: false,
        database: 1,
        ...login('u', decodeURIComponent(written)),
      });
    },
  );

  it.each([
    ['cache:6379', 'it needs a scheme'],
    ['http://cache', 'the scheme http:// is not known'],
    ['redis://', 'a host or port cannot be read'],
    ['redis://cache:port', 'a host or port cannot be read'],
    ['redis://cache:70000', 'a host or port cannot be read'],
    ['redis://a,b', 'several hosts are written as redis-cluster://… or redis-sentinel://…/database#master'],
    ['redis://cache/two', 'the database is a number from 0 to 99999'],
    ['redis://cache?ssl_cert_reqs=none', 'the parameter ssl_cert_reqs is not known; allowed here: db'],
    ['redis://secret@cache', 'a login is written as user:password@ or :password@'],
    ['redis://:100%@cache', 'a "%" in user or password is written as %25'],
    ['redis://cache#main', 'nothing may follow "#" here; a "#" in the password is written as %23'],
    ['unix://run/redis.sock', 'a socket needs an absolute path: unix:///path'],
    ['redis-cluster://a/1', 'a cluster has no database but 0'],
    ['redis-cluster://a,,b', 'a host or port cannot be read'],
    ['redis-sentinel://a,b', 'the name of the master is missing: end the address with #name'],
    ['redis://ca\nche', 'it has a control character'],
  ])('%j is refused with the reason', (text, why) => {
    expect(parseRedisAddress(text)).toEqual({ kind: 'invalid', why });
  });
});
