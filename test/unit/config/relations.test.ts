import { describe, expect, it } from 'vitest';
import { effectiveConfig } from '../../../src/config/config.js';
import type { Environment } from '../../../src/config/environment.js';
import { describeSettings } from '../../../src/config/settings.js';
import { linesOf, read } from './reading.js';

describe('settings that contradict each other', () => {
  const cases: readonly (readonly [situation: string, environment: Environment, line: string])[] = [
    [
      'a Redis queue without a Redis',
      { RTMANAGER_QUEUE_BACKEND: 'redis' },
      'RTMANAGER_QUEUE_BACKEND: "redis" needs REDIS_URL, which is not set; allowed without it: postgres',
    ],
    [
      'leases in Redis without a Redis',
      { RTMANAGER_LEASE_STORE: 'redis' },
      'RTMANAGER_LEASE_STORE: "redis" needs REDIS_URL, which is not set; allowed without it: postgres',
    ],
    [
      'an authority for a Redis that does not exist',
      { REDIS_TLS_CA_FILE: '/ca.pem' },
      'REDIS_TLS_CA_FILE: "/ca.pem" is not used without REDIS_URL; allowed with rediss://, rediss-cluster:// or rediss-sentinel:// in REDIS_URL',
    ],
    [
      'an authority for a Redis without TLS',
      { REDIS_TLS_CA_FILE: '/ca.pem', REDIS_URL: 'redis://:hunter2@cache' },
      'REDIS_TLS_CA_FILE: "/ca.pem" is not used on redis://:***@cache; allowed with rediss://, rediss-cluster:// or rediss-sentinel:// in REDIS_URL',
    ],
    [
      'an authority for the socket of a Redis',
      { REDIS_TLS_CA_FILE: '/ca.pem', REDIS_URL: 'unix:///run/redis.sock' },
      'REDIS_TLS_CA_FILE: "/ca.pem" is not used on unix:///run/redis.sock; allowed with rediss://, rediss-cluster:// or rediss-sentinel:// in REDIS_URL',
    ],
    [
      'a client certificate without its key',
      { REDIS_TLS_CERT_FILE: '/cert.pem', REDIS_URL: 'rediss://cache' },
      'REDIS_TLS_CERT_FILE: "/cert.pem" needs REDIS_TLS_KEY_FILE, which is not set; allowed: both or neither',
    ],
    [
      'a key without its client certificate',
      { REDIS_TLS_KEY_FILE: '/key.pem', REDIS_URL: 'rediss-cluster://a,b' },
      'REDIS_TLS_KEY_FILE: "/key.pem" needs REDIS_TLS_CERT_FILE, which is not set; allowed: both or neither',
    ],
    [
      'an address of the queue while the queue is in Redis',
      { RTMANAGER_QUEUE_DATABASE_URL: 'postgresql://a:hunter2@db/games', REDIS_URL: 'redis://cache' },
      'RTMANAGER_QUEUE_DATABASE_URL: "postgresql://a:***@db/games" is not used while the queue is in Redis; allowed with RTMANAGER_QUEUE_BACKEND=postgres',
    ],
    [
      'an address of the queue beside the embedded PostgreSQL',
      { RTMANAGER_QUEUE_DATABASE_URL: 'postgresql://db/games' },
      'RTMANAGER_QUEUE_DATABASE_URL: "postgresql://db/games" needs DATABASE_URL, which is not set',
    ],
    [
      'TLS over tcp:// without certificates',
      { DOCKER_TLS_VERIFY: '1', DOCKER_HOST: 'tcp://engine:2376' },
      'DOCKER_TLS_VERIFY: "1" with DOCKER_HOST tcp://engine:2376 needs DOCKER_CERT_PATH, a folder with ca.pem, cert.pem and key.pem',
    ],
    [
      'TLS over a socket file',
      { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs', DOCKER_HOST: 'unix:///var/run/docker.sock' },
      'DOCKER_TLS_VERIFY: "1" contradicts DOCKER_HOST unix:///var/run/docker.sock; allowed with tcp:// and https:// only',
    ],
    [
      'TLS for an engine that no setting names',
      { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs' },
      'DOCKER_TLS_VERIFY: "1" needs DOCKER_HOST or RTMANAGER_DOCKER_HOSTS, and neither is set; allowed with tcp:// and https:// only (a docker context has its own TLS files)',
    ],
    [
      'a single attempt, which ends before a lease left by a crash expires',
      { RTMANAGER_CONFLICT_MAX_ATTEMPTS: '1' },
      'RTMANAGER_CONFLICT_MAX_ATTEMPTS: "1" ends the retries of a conflict after 0s, while a game lease of 60s that a crash left behind still lasts; allowed with RTMANAGER_GAME_LEASE_TTL_SECONDS=60: 10 to 1000',
    ],
    [
      'attempts that end at the same moment as the lease',
      { RTMANAGER_CONFLICT_MAX_ATTEMPTS: '9' },
      'RTMANAGER_CONFLICT_MAX_ATTEMPTS: "9" ends the retries of a conflict after 60s, while a game lease of 60s that a crash left behind still lasts; allowed with RTMANAGER_GAME_LEASE_TTL_SECONDS=60: 10 to 1000',
    ],
    [
      'a lease that outlasts the usual attempts',
      { RTMANAGER_GAME_LEASE_TTL_SECONDS: '300' },
      'RTMANAGER_GAME_LEASE_TTL_SECONDS: "300" is too long for 10 attempts: the retries of a conflict end after 221.6s, while a game lease of 300s that a crash left behind still lasts; allowed with RTMANAGER_CONFLICT_MAX_ATTEMPTS from 12 to 1000',
    ],
    [
      'TLS over plain http://',
      { DOCKER_TLS_VERIFY: '1', DOCKER_HOST: 'http://engine:2375' },
      'DOCKER_TLS_VERIFY: "1" contradicts DOCKER_HOST http://engine:2375; allowed with tcp:// and https:// only',
    ],
    [
      'certificates that are not used',
      { DOCKER_CERT_PATH: '/certs', DOCKER_HOST: 'tcp://engine:2376' },
      'DOCKER_CERT_PATH: "/certs" is not used on DOCKER_HOST tcp://engine:2376; allowed there with DOCKER_TLS_VERIFY=1',
    ],
    [
      'an API that other machines can reach without a token',
      { RTMANAGER_INTERNAL_HTTP_ADDR: ':8096' },
      'RTMANAGER_INTERNAL_HTTP_ADDR: "0.0.0.0:8096" can be reached from other machines, so it needs RTMANAGER_API_TOKENS; allowed without them: 127.0.0.1, [::1] or localhost',
    ],
    [
      'the same address in IPv6',
      { RTMANAGER_INTERNAL_HTTP_ADDR: '[::]:8096' },
      'RTMANAGER_INTERNAL_HTTP_ADDR: "[::]:8096" can be reached from other machines, so it needs RTMANAGER_API_TOKENS; allowed without them: 127.0.0.1, [::1] or localhost',
    ],
    [
      'a host name that only begins like loopback',
      { RTMANAGER_INTERNAL_HTTP_ADDR: '127.0.0.1.example:80' },
      'RTMANAGER_INTERNAL_HTTP_ADDR: "127.0.0.1.example:80" can be reached from other machines, so it needs RTMANAGER_API_TOKENS; allowed without them: 127.0.0.1, [::1] or localhost',
    ],
  ];
  it.each(cases)('a contradiction is refused: %s', (_situation, environment, line) => {
    expect(linesOf(environment)).toEqual([line]);
  });

  it.each(['127.0.0.1:1', '127.9.9.9:1', '[::1]:1', 'localhost:1', 'LocalHost:1'])(
    '%s needs no token, because only this machine reaches it',
    (address) => {
      expect(linesOf({ RTMANAGER_INTERNAL_HTTP_ADDR: address })).toEqual([]);
    },
  );

  it('certificates that are not used with a socket are accepted', () => {
    expect(linesOf({ DOCKER_CERT_PATH: '/certs' })).toEqual([]);
  });
});

it.each([
  ['2', '3'],
  ['5', '4'],
  ['60', '10'],
  ['120', '10'],
  ['3600', '15'],
])('a lease of %s s needs at least %s attempts', (seconds, attempts) => {
  const at = (count: number) =>
    linesOf({ RTMANAGER_GAME_LEASE_TTL_SECONDS: seconds, RTMANAGER_CONFLICT_MAX_ATTEMPTS: String(count) });
  expect(at(Number(attempts))).toEqual([]);
  expect(at(Number(attempts) - 1)).toEqual([
    expect.stringContaining(`with RTMANAGER_GAME_LEASE_TTL_SECONDS=${seconds}: ${attempts} to 1000`),
  ]);
});

describe('an unknown RTMANAGER_ variable', () => {
  it('an unknown variable is refused with the name that is probably meant', () => {
    expect(linesOf({ RTMANAGER_CONTAINER_RETENTION_DAY: '90' })).toEqual([
      'RTMANAGER_CONTAINER_RETENTION_DAY: no setting has this name; did you mean RTMANAGER_CONTAINER_RETENTION_DAYS?',
    ]);
    expect(linesOf({ RTMANAGER_LEASE_STROE: 'redis' })[0]).toContain('did you mean RTMANAGER_LEASE_STORE?');
  });

  it('the singular of a known variable is refused with the plural', () => {
    expect(linesOf({ RTMANAGER_DOCKER_HOST: 'a=tcp://a' })[0]).toContain('did you mean RTMANAGER_DOCKER_HOSTS?');
    expect(linesOf({ RTMANAGER_ENGINES_CONCURRENCY: '2' })[0]).toContain('did you mean RTMANAGER_ENGINE_CONCURRENCY?');
  });

  it('an unknown variable is refused with the name that contains its words', () => {
    expect(linesOf({ RTMANAGER_LEASE_TTL: '5' })[0]).toContain('did you mean RTMANAGER_GAME_LEASE_TTL_SECONDS?');
  });

  it('an unknown variable is refused with all known names when none is similar', () => {
    expect(linesOf({ RTMANAGER_TURBO: '1' })[0]).toMatch(/known are RTMANAGER_DOCKER_HOSTS, .*RTMANAGER_DATA_DIR/);
  });

  it('a variable that Kubernetes sets for a Service called rtmanager is accepted', () => {
    expect(
      linesOf({
        RTMANAGER_SERVICE_HOST: '10.0.0.1',
        RTMANAGER_SERVICE_PORT_HTTP: '8096',
        RTMANAGER_PORT: 'tcp://10.0.0.1:8096',
        RTMANAGER_PORT_8096_TCP_ADDR: '10.0.0.1',
      }),
    ).toEqual([]);
  });
});

describe('effectiveConfig', () => {
  it('the effective settings list every setting, and each value reads back the same', () => {
    const config = read({
      DATABASE_URL: 'postgresql://db/games',
      REDIS_URL: 'redis://cache',
      DOCKER_HOST: 'https://engine',
      RTMANAGER_DOCKER_HOSTS: 'eu-1=tcp://10.0.0.11:2375,eu-2=unix:///run/eu-2.sock',
      RTMANAGER_DOCKER_TIMEOUT: '1500ms',
      RTMANAGER_CONTAINER_RETENTION_DAYS: '0.25',
      RTMANAGER_CLEANUP_INTERVAL: '90s',
      RTMANAGER_SWEEP_MAX_SHARE: '12.5%',
      RTMANAGER_INTERNAL_HTTP_ADDR: '[::1]:0',
    });
    const shown = effectiveConfig(config);
    expect(Object.keys(shown)).toEqual(describeSettings().map(({ name }) => name));
    const asEnvironment = Object.fromEntries(
      Object.entries(shown).map(([name, value]) => [name, value === 'not set' ? '' : String(value)]),
    );
    expect(read(asEnvironment)).toEqual(config);
  });

  it('the effective settings show how many tokens there are, but no token', () => {
    const shown = effectiveConfig(read({ RTMANAGER_API_TOKENS: 'hunter2-hunter2-hunter2,hunter3-hunter3-hunter3' }));
    expect(shown['RTMANAGER_API_TOKENS']).toBe('2 given');
    expect(JSON.stringify(shown)).not.toContain('hunter');
  });

  it('the effective settings leave passwords out', () => {
    const shown = effectiveConfig(
      read({
        DATABASE_URL: 'postgresql://app:hunter2@db/games?password=hunter2',
        REDIS_URL: 'redis://:hunter2@cache:6379',
      }),
    );
    expect(JSON.stringify(shown)).not.toContain('hunter2');
    expect(shown).toMatchObject({
      DATABASE_URL: 'postgresql://app:***@db/games?password=***',
      REDIS_URL: 'redis://:***@cache:6379',
    });
  });

  it('the effective settings name the folder of the embedded PostgreSQL when no DATABASE_URL is set', () => {
    expect(effectiveConfig(read({ RTMANAGER_DATA_DIR: '/srv/data' }))['DATABASE_URL']).toBe(
      'embedded PostgreSQL in /srv/data',
    );
  });
});
