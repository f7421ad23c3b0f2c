import { describe, expect, test } from 'vitest';
import {
  addressOf,
  duration,
  matchesLock,
  mountPointsBelow,
  needsBrowser,
  needsServices,
  satisfies,
  withoutCallingNpm,
} from '../../../scripts/rules.mjs';

describe('the Node version', () => {
  const range = '^20.19.0 || ^22.12.0 || >=24';
  test.each([
    ['18.20.8', false],
    ['20.18.3', false],
    ['20.19.0', true],
    ['20.20.2', true],
    ['21.7.3', false],
    ['22.11.0', false],
    ['22.12.0', true],
    ['23.11.1', false],
    ['24.0.0', true],
    ['26.10.0', true],
  ])('version %s is in the range: %s', (version, fits) => {
    expect(satisfies(version, range)).toBe(fits);
  });

  test('a range of an unknown form is an error', () => {
    expect(() => satisfies('20.19.0', '~20.19')).toThrow(/unknown form/);
  });
});

describe('matchesLock', () => {
  const lock = {
    packages: {
      '': { version: '1.0.0' },
      'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
      'node_modules/for-a-mac': { version: '2.0.0', integrity: 'sha512-m', optional: true },
    },
  };
  const a = { version: '1.0.0', integrity: 'sha512-a' };
  test.each([
    ['everything for this platform is installed', { 'node_modules/a': a }, true],
    ['a needed package is missing', {}, false],
    ['a package has another version', { 'node_modules/a': { ...a, version: '1.0.1' } }, false],
    [
      'a package has the same version with other contents',
      { 'node_modules/a': { ...a, integrity: 'sha512-b' } },
      false,
    ],
    ['a package is not in the lock', { 'node_modules/a': a, 'node_modules/b': a }, false],
  ])('the installation is compared with the lock when %s', (_situation, packages, matches) => {
    expect(matchesLock(lock, { packages })).toBe(matches);
  });
});

test('an npm that another npm calls gets only the registry settings from it', () => {
  const kept = {
    PATH: '/bin',
    HTTPS_PROXY: 'http://proxy',
    npm_config_registry: 'https://registry',
    'npm_config_@team:registry': 'https://other',
    'npm_config_//registry/:_authToken': 'secret',
    NPM_CONFIG_CAFILE: '/ca.crt',
    npm_config_userconfig: '/home/me/.npmrc',
  };
  const dropped = {
    NODE_ENV: 'production',
    npm_config_omit: 'dev',
    npm_config_dry_run: 'true',
    npm_config_ignore_scripts: 'true',
    npm_config_global: 'true',
    npm_lifecycle_event: 'test',
    npm_package_name: 'runtime-cleanup',
    npm_command: 'test',
  };
  expect(withoutCallingNpm({ ...kept, ...dropped })).toEqual(kept);
});

test.each([
  ['unix:///run/docker.sock', false, { socketPath: '/run/docker.sock' }],
  ['tcp://10.0.0.7:2376', false, { host: '10.0.0.7', port: 2376 }],
  ['tcp://engine', false, { host: 'engine', port: 2375 }],
  ['tcp://[::1]:2375/', false, { host: '::1', port: 2375 }],
  ['tcp://10.0.0.7:2376', true, null],
  ['ssh://me@host', false, null],
  ['rubbish', false, null],
])('DOCKER_HOST=%s with TLS %s has the address %o', (dockerHost, tls, address) => {
  expect(addressOf(dockerHost, { tls })).toEqual(address);
});

test.each([
  [[], true],
  [['--project', 'unit'], false],
  [['--project=unit', 'test/unit/lease'], false],
  [['--project', 'unit', '--project', 'e2e'], true],
  [['--project=integration'], true],
  [['test/unit/lease'], true],
])('vitest %o needs services: %s', (args, needed) => {
  expect(needsServices(args)).toBe(needed);
});

test.each([
  [[], true],
  [['--project', 'unit'], false],
  [['--project', 'integration'], false],
  [['--project=integration', '--project=e2e'], true],
  [['test/e2e/dashboard.test.ts'], true],
])('vitest %o needs a browser: %s', (args, needed) => {
  expect(needsBrowser(args)).toBe(needed);
});

test('mount points below a folder are listed, inner ones first', () => {
  const table = [
    'proc /proc proc rw 0 0',
    'overlay /tmp/engine/data/merged overlay rw 0 0',
    'tmpfs /tmp/engine/data/merged/dev\\040shm tmpfs rw 0 0',
    'tmpfs /tmp/engine-of-another tmpfs rw 0 0',
    '',
  ].join('\n');
  expect(mountPointsBelow(table, '/tmp/engine')).toEqual([
    '/tmp/engine/data/merged/dev shm',
    '/tmp/engine/data/merged',
  ]);
});

test.each([
  [2.6, '3 ms'],
  [999, '999 ms'],
  [1234, '1.2 s'],
  [125_000, '2 min 5 s'],
])('%d ms is shown as %s', (durationMs, shown) => {
  expect(duration(durationMs)).toBe(shown);
});
