import type { Config } from '../../../src/config/config.js';
import type { Environment } from '../../../src/config/environment.js';
import { postgresExamples } from './postgres-examples.js';
import { redisTlsExamples } from './redis-tls-examples.js';

export interface Examples {
  /** Other variables that the valid examples need. */
  readonly beside?: Environment;
  readonly valid: readonly (readonly [text: string, expected: Partial<Config>])[];
  readonly invalid: readonly string[];
}

const TOKEN = 'sixteen-letters-';
const OTHER_TOKEN = 'bG9uZyBlbm91Z2ggYXMgYmFzZTY0==';

const engines = (...hosts: readonly (readonly [name: string, host: string])[]): Partial<Config> => ({
  dockerHosts: hosts.map(([name, host]) => ({ name, host })),
});

/** For each variable: texts that are accepted, with their settings, and texts that are refused. */
export const examples: Readonly<Record<string, Examples>> = {
  ...postgresExamples,
  REDIS_URL: {
    valid: [
      ['redis://127.0.0.1:6379', { redisUrl: 'redis://127.0.0.1:6379', queueBackend: 'redis', leaseStore: 'redis' }],
      ['rediss://u:p@cache:6380/2', { redisUrl: 'rediss://u:p@cache:6380/2' }],
      ['redis-cluster://a:1,b:2', { redisUrl: 'redis-cluster://a:1,b:2', queueBackend: 'redis' }],
    ],
    invalid: ['127.0.0.1:6379', 'http://cache', 'redis:cache', 'redis://a,b', 'redis-sentinel://a'],
  },
  ...redisTlsExamples,
  DOCKER_HOST: {
    valid: [
      [
        'unix:///run/user/1000/docker.sock',
        { dockerHost: 'unix:///run/user/1000/docker.sock', dockerTlsVerify: false },
      ],
      ['tcp://10.0.0.5:2375', { dockerHost: 'tcp://10.0.0.5:2375', dockerTlsVerify: false }],
      ['https://engine:2376', { dockerHost: 'https://engine:2376', dockerTlsVerify: false }],
      ['HTTPS://engine', { dockerHost: 'HTTPS://engine' }],
      ['unix://', { dockerHost: 'unix://' }],
    ],
    invalid: [
      '/var/run/docker.sock',
      'unix:/var/run/docker.sock',
      'unix://docker.sock',
      'ssh://root@host',
      'localhost:2375',
      'fd://',
      'npipe:////./pipe/docker_engine',
      'tcp://engine:2375/v1.41',
      'tcp://me:secret@engine',
    ],
  },
  RTMANAGER_DOCKER_HOSTS: {
    valid: [
      [
        'eu-1=tcp://10.0.0.11:2375,eu-2=unix:///run/user/1000/docker.sock',
        engines(['eu-1', 'tcp://10.0.0.11:2375'], ['eu-2', 'unix:///run/user/1000/docker.sock']),
      ],
      ['EU_1.b=tcp://engine', engines(['EU_1.b', 'tcp://engine'])],
      [`${'x'.repeat(64)}=unix://`, engines(['x'.repeat(64), 'unix://'])],
      [
        'default-2=https://engine:2376 , 2=http://engine',
        engines(['default-2', 'https://engine:2376'], ['2', 'http://engine']),
      ],
      ['a=unix:///run/a=b.sock', engines(['a', 'unix:///run/a=b.sock'])],
    ],
    invalid: [
      'eu-1',
      'tcp://10.0.0.11:2375',
      '=tcp://engine',
      'eu-1=',
      'eu-1=engine:2375',
      'eu-1=ssh://root@host',
      'eu-1=tcp://me:secret@engine',
      'eu-1=tcp://engine,',
      ',eu-1=tcp://engine',
      'eu-1=tcp://a;eu-2=tcp://b',
      'eu-1=tcp://a eu-2=tcp://b',
      'eu-1 =tcp://engine',
      'eu-1= tcp://engine',
      'eu 1=tcp://engine',
      'eu/1=tcp://engine',
      'eu:1=tcp://engine',
      'é=tcp://engine',
      `${'x'.repeat(65)}=tcp://engine`,
      'default=tcp://engine',
      'DEFAULT=tcp://engine',
      'eu-1=tcp://a,eu-1=tcp://b',
      '"eu-1=tcp://engine"',
    ],
  },
  DOCKER_TLS_VERIFY: {
    beside: { DOCKER_HOST: 'tcp://engine:2376', DOCKER_CERT_PATH: '/certs' },
    valid: [['1', { dockerTlsVerify: true, dockerCertPath: '/certs' }]],
    invalid: ['0', 'true', 'yes'],
  },
  DOCKER_CERT_PATH: {
    beside: { DOCKER_HOST: 'tcp://engine:2376', DOCKER_TLS_VERIFY: '1' },
    valid: [['/etc/docker/certs', { dockerCertPath: '/etc/docker/certs' }]],
    invalid: ['certs', './certs', '~/.docker'],
  },
  RTMANAGER_QUEUE_BACKEND: {
    beside: { REDIS_URL: 'redis://cache' },
    valid: [
      ['postgres', { queueBackend: 'postgres', leaseStore: 'redis', workerConcurrency: 4 }],
      ['redis', { queueBackend: 'redis', workerConcurrency: 8 }],
    ],
    invalid: ['Redis', 'pg', 'kafka'],
  },
  RTMANAGER_LEASE_STORE: {
    beside: { REDIS_URL: 'redis://cache' },
    valid: [
      ['postgres', { leaseStore: 'postgres', queueBackend: 'redis' }],
      ['redis', { leaseStore: 'redis' }],
    ],
    invalid: ['memory', 'postgresql'],
  },
  RTMANAGER_CONTAINER_RETENTION_DAYS: {
    valid: [
      ['7', { retentionMs: 604_800_000 }],
      ['0.5', { retentionMs: 43_200_000 }],
      ['36500', { retentionMs: 36_500 * 86_400_000 }],
    ],
    invalid: ['0', '-1', '36501', '1d', '1e3', 'Infinity', '0x10', '.5'],
  },
  RTMANAGER_CLEANUP_INTERVAL: {
    valid: [
      ['1s', { cleanupIntervalMs: 1_000 }],
      ['15m', { cleanupIntervalMs: 900_000 }],
      ['24h', { cleanupIntervalMs: 86_400_000 }],
    ],
    invalid: ['0s', '999ms', '25h', '1d', '3600', 'hourly', '*/5 * * * *'],
  },
  RTMANAGER_SWEEP_MAX_SHARE: {
    valid: [
      ['50%', { sweepMaxShare: 0.5 }],
      ['0.25', { sweepMaxShare: 0.25 }],
      ['12.5%', { sweepMaxShare: 0.125 }],
      ['100%', { sweepMaxShare: 1 }],
      ['1', { sweepMaxShare: 1 }],
    ],
    invalid: ['0', '0%', '101%', '1.1', '50', '-5%', '50 %', '5e-1', '.5', 'half'],
  },
  RTMANAGER_GAME_LEASE_TTL_SECONDS: {
    beside: { RTMANAGER_CONFLICT_MAX_ATTEMPTS: '15' },
    valid: [
      ['2', { leaseTtlMs: 2_000 }],
      ['3600', { leaseTtlMs: 3_600_000 }],
    ],
    invalid: ['1', '3601', '60s', '2.5', '-60'],
  },
  RTMANAGER_WORKER_CONCURRENCY: {
    valid: [
      ['1', { workerConcurrency: 1 }],
      ['256', { workerConcurrency: 256 }],
    ],
    invalid: ['0', '257', '4.5', 'many'],
  },
  RTMANAGER_ENGINE_CONCURRENCY: {
    beside: { RTMANAGER_WORKER_CONCURRENCY: '8' },
    valid: [
      ['1', { engineConcurrency: 1, workerConcurrency: 8 }],
      ['256', { engineConcurrency: 256 }],
    ],
    invalid: ['0', '257', '-1', '2.5', 'half'],
  },
  RTMANAGER_MAX_CONNECTIONS: {
    valid: [['11', { maxConnections: 11 }]],
    invalid: ['2', '1001', '0', '-1', '2.5', 'all'],
  },
  RTMANAGER_DOCKER_TIMEOUT: {
    valid: [
      ['100ms', { dockerTimeoutMs: 100 }],
      ['1.5s', { dockerTimeoutMs: 1_500 }],
      ['1h', { dockerTimeoutMs: 3_600_000 }],
    ],
    invalid: ['30', '99ms', '61m', '30 s', '30S', '-1s', '1d'],
  },
  RTMANAGER_CONFLICT_MAX_ATTEMPTS: {
    valid: [
      ['10', { conflictMaxAttempts: 10 }],
      ['1000', { conflictMaxAttempts: 1_000 }],
    ],
    invalid: ['0', '1001', 'ten'],
  },
  RTMANAGER_RETRY_MAX_AGE: {
    valid: [
      ['1s', { retryMaxAgeMs: 1_000 }],
      ['720h', { retryMaxAgeMs: 2_592_000_000 }],
    ],
    invalid: ['0s', '721h', '1d', '24'],
  },
  RTMANAGER_INTERNAL_HTTP_ADDR: {
    beside: { RTMANAGER_API_TOKENS: TOKEN },
    valid: [
      ['127.0.0.1:8096', { httpAddress: { host: '127.0.0.1', port: 8096 } }],
      [':8096', { httpAddress: { host: '0.0.0.0', port: 8096 } }],
      ['0.0.0.0:80', { httpAddress: { host: '0.0.0.0', port: 80 } }],
      ['[::1]:0', { httpAddress: { host: '::1', port: 0 } }],
      ['Manager.internal:65535', { httpAddress: { host: 'manager.internal', port: 65_535 } }],
    ],
    invalid: [
      '8096',
      '127.0.0.1',
      '127.0.0.1:',
      '127.0.0.1:65536',
      '127.0.0:80',
      '256.0.0.1:80',
      '::1:8096',
      '[::g]:80',
      '[127.0.0.1]:80',
      'http://127.0.0.1:80',
      'user@host:80',
      'a b:80',
    ],
  },
  RTMANAGER_API_TOKENS: {
    valid: [
      [TOKEN, { apiTokens: [TOKEN] }],
      [`${TOKEN}, ${OTHER_TOKEN}`, { apiTokens: [TOKEN, OTHER_TOKEN] }],
    ],
    invalid: [
      'short',
      `${TOKEN},`,
      `,${TOKEN}`,
      `${TOKEN},short`,
      `${TOKEN} ${OTHER_TOKEN}`,
      `${TOKEN}é`,
      `"${TOKEN}"`,
    ],
  },
  RTMANAGER_LOG_LEVEL: {
    valid: [
      ['debug', { logLevel: 'debug' }],
      ['silent', { logLevel: 'silent' }],
    ],
    invalid: ['verbose', 'INFO', '30'],
  },
  RTMANAGER_SHUTDOWN_TIMEOUT: {
    valid: [
      ['0s', { shutdownTimeoutMs: 0 }],
      ['5m', { shutdownTimeoutMs: 300_000 }],
    ],
    invalid: ['61m', 'forever', '30'],
  },
  RTMANAGER_DATA_DIR: {
    valid: [['/srv/cleanup', { dataDir: '/srv/cleanup' }]],
    invalid: ['data', './data', '~/data'],
  },
};
