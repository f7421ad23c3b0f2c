import { describe, expect, it } from 'vitest';
import { judgeUnready } from '../../../../src/adapters/redis/explain-unready.js';
import { parseInfo, requireMode } from '../../../../src/adapters/redis/server-mode.js';
import { ConfigurationError, UnavailableError } from '../../../../src/domain/errors.js';
import { parseRedisAddress } from '../../../../src/domain/redis-address.js';

const SINGLE = parseInfo('# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\ncluster_enabled:0\r\n');
const NODE = parseInfo('redis_mode:cluster\r\ncluster_enabled:1\r\n');
const SENTINEL = parseInfo(
  'redis_mode:sentinel\r\nmaster0:name=games,status=ok,address=10.0.0.1:6379,slaves=1\r\nmaster1:name=other,status=ok\r\n',
);

describe('the kind of the address and the server that answers', () => {
  it.each([
    ['standalone', SINGLE],
    ['standalone', parseInfo('redis_version:7.0.0')],
    ['cluster', NODE],
    ['sentinel', SENTINEL],
  ] as const)('a %s that answers as expected is accepted', (expected, info) => {
    expect(() => requireMode(expected, info)).not.toThrow();
  });

  it.each([
    ['standalone', NODE, /is a node of a Redis Cluster.*write redis-cluster:\/\/host:port,host:port/],
    ['standalone', parseInfo('cluster_enabled:1'), /is a node of a Redis Cluster/],
    ['standalone', SENTINEL, /is a sentinel.*it watches: games, other.*write redis-sentinel:\/\/.*#name/],
    ['cluster', SINGLE, /is a single Redis server; write redis:\/\/host:port/],
    ['sentinel', SINGLE, /is a single Redis server; write redis:\/\/host:port/],
    ['sentinel', NODE, /write redis-cluster:\/\//],
    ['cluster', SENTINEL, /write redis-sentinel:\/\//],
  ] as const)(
    'an address for a %s server is refused at another one, with the form to write',
    (expected, info, text) => {
      expect(() => requireMode(expected, info)).toThrow(ConfigurationError);
      expect(() => requireMode(expected, info)).toThrow(text);
    },
  );
});

describe('why a client does not become ready', () => {
  const addressOf = (url: string) => {
    const address = parseRedisAddress(url);
    if (address.kind === 'cluster' || address.kind === 'sentinel') return address;
    throw new Error(`${url} names one server`);
  };
  const cluster = addressOf('redis-cluster://a:1,b:2');
  const sentinels = addressOf('redis-sentinel://a:1,b:2/0#game');

  it('a name of a master that no sentinel knows is refused with the names that they know', () => {
    const error = judgeUnready(sentinels, [{ name: 'a:1', info: SENTINEL }]);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error?.message).toBe(
      'REDIS_URL does not fit: the sentinels watch no master named "game"; ' +
        'end the address with one of the names that they watch: #games, #other',
    );
  });

  it('a cluster without all of its slots is unavailable, with their number', () => {
    const info = parseInfo('redis_mode:cluster\r\ncluster_state:fail\r\ncluster_slots_ok:10923\r\n');
    const error = judgeUnready(cluster, [{ name: 'a:1', info }]);
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error?.message).toContain('a:1 says cluster_state:fail, 10923 of 16384 slots have a master that answers');
  });

  it.each([
    ['no node answers', cluster, []],
    ['a cluster says that it is well', cluster, [{ name: 'a:1', info: NODE }]],
    ['a sentinel knows the master', addressOf('redis-sentinel://a:1/0#games'), [{ name: 'a:1', info: SENTINEL }]],
  ] as const)('nothing is added to the client’s own error where %s', (_name, address, answers) => {
    expect(judgeUnready(address, answers)).toBeUndefined();
  });
});
