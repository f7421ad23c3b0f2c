import { describe, expect, it } from 'vitest';
import { effectiveConfig, readConfig } from '../../../src/config/config.js';
import { describeSettings } from '../../../src/config/settings.js';
import { examples } from './examples.js';
import { linesOf, read } from './reading.js';

describe('readConfig', () => {
  it('an empty environment gives the documented defaults', () => {
    expect(read()).toEqual({
      databaseUrl: null,
      redisUrl: null,
      redisTlsCaFile: null,
      redisTlsCertFile: null,
      redisTlsKeyFile: null,
      queueDatabaseUrl: null,
      dockerHost: null,
      dockerHosts: [],
      dockerTlsVerify: false,
      dockerCertPath: null,
      queueBackend: 'postgres',
      leaseStore: 'postgres',
      retentionMs: 30 * 86_400_000,
      cleanupIntervalMs: 3_600_000,
      sweepMaxShare: 0.5,
      leaseTtlMs: 60_000,
      workerConcurrency: 4,
      engineConcurrency: 4,
      maxConnections: 20,
      dockerTimeoutMs: 30_000,
      conflictMaxAttempts: 10,
      retryMaxAgeMs: 86_400_000,
      logLevel: 'info',
      shutdownTimeoutMs: 30_000,
      dataDir: '/home/kim/.local/share/runtime-cleanup',
      httpAddress: { host: '127.0.0.1', port: 8096 },
      apiTokens: [],
      dockerEnvironment: {
        context: null,
        configDir: '/home/kim/.docker',
        runtimeDir: '/run/user/1000',
        homeDir: '/home/kim',
      },
    });
  });

  it('the settings are a frozen object', () => {
    expect(Object.isFrozen(read())).toBe(true);
  });

  it('an empty or blank variable counts as not set', () => {
    const blank = Object.fromEntries(describeSettings().map(({ name }) => [name, '  ']));
    expect(read(blank)).toEqual(read());
  });

  it('the data folder is the usual one of the user, or of root', () => {
    expect(read({ XDG_DATA_HOME: '/data' }).dataDir).toBe('/data/runtime-cleanup');
    expect(read({ XDG_DATA_HOME: 'relative' }).dataDir).toBe('/home/kim/.local/share/runtime-cleanup');
    expect(readConfig({}, { uid: 0, homeDir: '/root' }).dataDir).toBe('/var/lib/runtime-cleanup');
  });

  it("the settings of Docker's own tools are passed on", () => {
    const given = { DOCKER_CONTEXT: 'lab', DOCKER_CONFIG: '/etc/docker-cli', XDG_RUNTIME_DIR: '/run/kim' };
    const expected = { context: 'lab', configDir: '/etc/docker-cli', runtimeDir: '/run/kim', homeDir: '/home/kim' };
    expect(read(given).dockerEnvironment).toEqual(expected);
    expect(read({ XDG_RUNTIME_DIR: 'relative' }).dockerEnvironment.runtimeDir).toBe('/run/user/1000');
    expect(readConfig({}, { uid: undefined, homeDir: '/home/kim' }).dockerEnvironment.runtimeDir).toBeNull();
  });

  it('a user without a home folder needs RTMANAGER_DATA_DIR only where DATABASE_URL is not set', () => {
    const homeless = { uid: 12_345, homeDir: null };
    const withDatabase = readConfig({ DATABASE_URL: 'postgresql://u@db/games' }, homeless);
    expect(withDatabase).toMatchObject({ dataDir: null, dockerEnvironment: { configDir: null, homeDir: null } });
    expect(effectiveConfig(withDatabase)['RTMANAGER_DATA_DIR']).toBe('not set');
    expect(readConfig({ RTMANAGER_DATA_DIR: '/srv/data' }, homeless).dataDir).toBe('/srv/data');
    expect(readConfig({ XDG_DATA_HOME: '/data' }, homeless).dataDir).toBe('/data/runtime-cleanup');
    expect(() => readConfig({}, homeless)).toThrow(
      /^RTMANAGER_DATA_DIR: not set, and the user of this process has no home folder .* or DATABASE_URL instead$/,
    );
  });

  it('variables of other programs are ignored', () => {
    expect(linesOf({ PATH: '/bin', OTEL_SERVICE_NAME: 'x', MY_RTMANAGER_THING: '1' })).toEqual([]);
  });

  for (const { name, allowed } of describeSettings()) {
    const { beside = {}, valid, invalid } = examples[name] ?? { valid: [], invalid: [] };

    it(`${name} is accepted with and without spaces around it`, () => {
      const given = valid.map(([text]) => text).flatMap((text) => [text, ` ${text}\n`]);
      const expected = valid.map(([, config]) => config).flatMap((config) => [config, config]);
      expect(expected.length).toBeGreaterThan(0);
      expect(given.map((text) => read({ ...beside, [name]: text }))).toMatchObject(expected);
    });

    it(`a bad ${name} is refused in one line with the variable, the value and what is allowed`, () => {
      expect(invalid.length).toBeGreaterThan(0);
      const refusal: unknown = expect.stringMatching(
        new RegExp(`^${name}: (".*"|what is given \\(.*not shown\\)) is not allowed(: .+)?; allowed: .`),
      );
      const lines = invalid.map((text) => linesOf({ ...beside, [name]: text }));
      expect(lines).toEqual(invalid.map(() => [refusal]));
      expect(lines.flat().every((line) => line.endsWith(allowed))).toBe(true);
    });
  }

  it('a refused value is shown', () => {
    expect(linesOf({ RTMANAGER_DOCKER_TIMEOUT: 'soon' })).toEqual([
      'RTMANAGER_DOCKER_TIMEOUT: "soon" is not allowed; allowed: a number and its unit (ms, s, m or h), from 100ms to 1h',
    ]);
  });

  it('a refused engine address is reported with the reason', () => {
    expect(linesOf({ DOCKER_HOST: 'ssh://host' })).toEqual([
      'DOCKER_HOST: "ssh://host" is not allowed: ssh:// would open a connection for each request; forward the socket with ssh -L and name it; allowed: unix:///path, tcp://host:port, http://host:port or https://host:port',
    ]);
  });

  it.each([
    [
      'eu-1=ssh://host',
      'eu-1: ssh:// would open a connection for each request; forward the socket with ssh -L and name it',
    ],
    ['eu-1=tcp://a,eu-2=b:2375', 'eu-2: it needs a scheme'],
    ['eu-1=', 'eu-1: it needs a scheme'],
    ['eu-1=tcp://a/v1.41', 'eu-1: nothing may follow the port'],
    ['eu-1=tcp://a,tcp://b', 'entry 2 has no name; it is written as name=address'],
    ['eu-1=tcp://a,', 'entry 2 has no name; it is written as name=address'],
    ['=tcp://a', 'entry 1: a name has 1 to 64 characters, each a letter, a digit or . _ -'],
    ['eu-1=tcp://a,eu 2=tcp://b', 'entry 2: a name has 1 to 64 characters, each a letter, a digit or . _ -'],
    ['eu-1=tcp://a,eu-1=tcp://b', 'eu-1: the name is given twice'],
    ['default=tcp://a', 'default: DOCKER_HOST is the default engine'],
    ['Default=tcp://a', 'Default: DOCKER_HOST is the default engine'],
    ['eu-1=tcp://a,eu-2=tcp://me:x@b', 'entry 2: a user and a password are not supported'],
  ])('the refusal of the engines %j says why', (text, why) => {
    const [line = '', ...others] = linesOf({ RTMANAGER_DOCKER_HOSTS: text });
    expect(others).toEqual([]);
    expect(line).toContain(` is not allowed: ${why}; allowed: name=address, separated by commas; `);
  });

  it('refused engines are shown only where they can hold no password', () => {
    expect(linesOf({ RTMANAGER_DOCKER_HOSTS: 'eu-1=tcp://a:2375, tcp://b' })).toEqual([
      expect.stringMatching(/^RTMANAGER_DOCKER_HOSTS: "eu-1=tcp:\/\/a:2375,tcp:\/\/b" is not allowed: /),
    ]);
    expect(linesOf({ RTMANAGER_DOCKER_HOSTS: 'eu-1=me:hunter2' })).toEqual([
      expect.stringMatching(/^RTMANAGER_DOCKER_HOSTS: "eu-1=\(not shown: .*\)" is not allowed: /),
    ]);
  });

  it('each wrong setting is named in its own line', () => {
    const lines = linesOf({
      RTMANAGER_LOG_LEVEL: 'loud',
      RTMANAGER_DOCKER_TIMEOUT: '5',
      RTMANAGER_GAME_LEASE_TTL_SECONDS: '1',
      RTMANAGER_LOG_LEVL: 'info',
    });
    expect(lines.map((line) => line.split(':')[0])).toEqual([
      'RTMANAGER_LOG_LEVL',
      'RTMANAGER_GAME_LEASE_TTL_SECONDS',
      'RTMANAGER_DOCKER_TIMEOUT',
      'RTMANAGER_LOG_LEVEL',
    ]);
  });

  it('a refused token and the tokens beside it are never shown', () => {
    const lines = linesOf({ RTMANAGER_API_TOKENS: 'hunter2,hunter2-is-long-enough,hunter2-has-a blank-in-it' });
    expect(lines).toHaveLength(1);
    expect(lines.join()).not.toContain('hunter2');
  });

  it('a password is never shown, even in a refused address', () => {
    const refused = [
      linesOf({ DATABASE_URL: 'mysql://app:hunter2@db/games' }),
      linesOf({ DATABASE_URL: 'app:hunter2@db/games' }),
      linesOf({ REDIS_URL: 'http://:hunter2@cache' }),
      linesOf({ REDIS_URL: 'redis-sentinel://cache?sentinelPassword=hunter2' }),
      linesOf({ DOCKER_HOST: 'ssh://root:hunter2@host' }),
      linesOf({ RTMANAGER_DOCKER_HOSTS: 'eu-1=tcp://root:hunter2@host' }),
      linesOf({ RTMANAGER_DOCKER_HOSTS: 'eu-1=tcp://root:12,hunter2=34@host' }),
      linesOf({ RTMANAGER_DOCKER_HOSTS: 'eu-1=tcp://host?token=12,hunter2=34' }),
      linesOf({ RTMANAGER_DOCKER_HOSTS: 'root:hunter2=@host' }),
    ];
    for (const lines of refused) {
      expect(lines).toHaveLength(1);
      expect(lines.join()).not.toContain('hunter2');
    }
  });
});
