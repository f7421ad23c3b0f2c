import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describeEngine } from '../../../../src/adapters/docker/connection.js';
import {
  type DockerEnvironment,
  type EngineFiles,
  locateEngine,
} from '../../../../src/adapters/docker/locate-engine.js';
import { ConfigurationError } from '../../../../src/domain/errors.js';

const ENVIRONMENT: DockerEnvironment = {
  context: null,
  configDir: '/home/kim/.docker',
  runtimeDir: '/run/user/1000',
  homeDir: '/home/kim',
};
const CONFIG = '/home/kim/.docker/config.json';
const ROOTFUL = '/var/run/docker.sock';
const ROOTLESS = '/run/user/1000/docker.sock';
const DESKTOP_MAC = '/home/kim/.docker/run/docker.sock';
const DESKTOP_LINUX = '/home/kim/.docker/desktop/docker.sock';

const idOf = (name: string) => createHash('sha256').update(name).digest('hex');
const metaOf = (name: string) => `/home/kim/.docker/contexts/meta/${idOf(name)}/meta.json`;
const tlsOf = (name: string) => `/home/kim/.docker/contexts/tls/${idOf(name)}/docker`;
const meta = (docker: unknown) => JSON.stringify({ Name: 'lab', Metadata: {}, Endpoints: { docker } });
const current = (name: string) => JSON.stringify({ auths: {}, currentContext: name });

type Files = Readonly<Record<string, string>>;

/** The files by their paths; a socket has no text. */
const filesOf = (files: Files): EngineFiles => ({ read: (path) => files[path], exists: (path) => path in files });

const sockets = (...paths: readonly string[]): Files => Object.fromEntries(paths.map((path) => [path, '']));

describe('locateEngine without DOCKER_HOST', () => {
  test.each<[situation: string, files: Files, environment: Partial<DockerEnvironment>, host: string, source: string]>([
    ['the rootful socket beside all others', sockets(ROOTFUL, ROOTLESS, DESKTOP_MAC), {}, ROOTFUL, 'usual socket'],
    ['the rootless socket beside Desktop', sockets(ROOTLESS, DESKTOP_MAC, DESKTOP_LINUX), {}, ROOTLESS, 'usual socket'],
    ['the socket of Desktop on macOS', sockets(DESKTOP_MAC, DESKTOP_LINUX), {}, DESKTOP_MAC, 'usual socket'],
    ['the socket of Desktop on Linux', sockets(DESKTOP_LINUX), {}, DESKTOP_LINUX, 'usual socket'],
    [
      'no socket at all',
      {},
      {},
      ROOTFUL,
      `usual socket; none exists of ${ROOTFUL}, ${ROOTLESS}, ${DESKTOP_MAC}, ${DESKTOP_LINUX}`,
    ],
    [
      'no socket, on a system without a runtime folder',
      {},
      { runtimeDir: null },
      ROOTFUL,
      `usual socket; none exists of ${ROOTFUL}, ${DESKTOP_MAC}, ${DESKTOP_LINUX}`,
    ],
    [
      'no socket, for a user without a home folder',
      {},
      { homeDir: null, configDir: null },
      ROOTFUL,
      `usual socket; none exists of ${ROOTFUL}, ${ROOTLESS}`,
    ],
    [
      'the current context of the configuration, before any socket',
      {
        ...sockets(ROOTFUL),
        [CONFIG]: current('desktop-linux'),
        [metaOf('desktop-linux')]: meta({ Host: `unix://${DESKTOP_LINUX}` }),
      },
      {},
      DESKTOP_LINUX,
      'docker context "desktop-linux"',
    ],
    [
      'DOCKER_CONTEXT, before the current context',
      { [CONFIG]: current('other'), [metaOf('lab')]: meta({ Host: 'unix:///lab.sock' }) },
      { context: 'lab' },
      '/lab.sock',
      'docker context "lab"',
    ],
    [
      'DOCKER_CONTEXT=default, which is not a context',
      { ...sockets(ROOTLESS), [CONFIG]: current('other') },
      { context: 'default' },
      ROOTLESS,
      'usual socket',
    ],
    [
      'a current context called default',
      { ...sockets(ROOTFUL), [CONFIG]: current('default') },
      {},
      ROOTFUL,
      'usual socket',
    ],
    ['a configuration without a context', { ...sockets(ROOTFUL), [CONFIG]: '{}' }, {}, ROOTFUL, 'usual socket'],
  ])('the engine is found with %s', (_situation, files, environment, socketPath, source) => {
    const engine = locateEngine({ ...ENVIRONMENT, ...environment }, filesOf(files));
    expect(engine).toEqual({ host: `unix://${socketPath}`, tlsVerify: false, certPath: undefined, source });
  });

  test('an engine is reached over TLS when its context has certificates', () => {
    const host = 'tcp://engine.internal:2376';
    const plain = { [metaOf('lab')]: meta({ Host: host, SkipTLSVerify: false }) };
    const environment = { ...ENVIRONMENT, context: 'lab' };
    expect(locateEngine(environment, filesOf({ ...plain, [tlsOf('lab')]: '' }))).toMatchObject({
      host,
      tlsVerify: true,
      certPath: tlsOf('lab'),
    });
    expect(locateEngine(environment, filesOf(plain))).toMatchObject({ host, tlsVerify: false, certPath: undefined });
  });
});

describe('an unusable docker context', () => {
  test.each<[situation: string, files: Files, context: string | null, parts: readonly string[]]>([
    ['an unknown DOCKER_CONTEXT', {}, 'gone', ['DOCKER_CONTEXT: ', '"gone"', metaOf('gone')]],
    [
      'a current context that does not exist',
      { ...sockets(ROOTFUL), [CONFIG]: current('gone') },
      null,
      [`currentContext of ${CONFIG}: `, '"gone"', metaOf('gone')],
    ],
    ['a context that is not JSON', { [metaOf('lab')]: '{' }, 'lab', [metaOf('lab'), 'is not JSON']],
    ['a context without an address', { [metaOf('lab')]: '[]' }, 'lab', [metaOf('lab'), 'names no address']],
    [
      'an address over ssh',
      { [metaOf('lab')]: meta({ Host: 'ssh://kim@engine' }) },
      'lab',
      [metaOf('lab'), '"ssh://kim@engine"', 'ssh -L', 'allowed: unix:///path'],
    ],
    [
      'TLS without a check of the certificate',
      { [metaOf('lab')]: meta({ Host: 'tcp://engine', SkipTLSVerify: true }) },
      'lab',
      [metaOf('lab'), 'SkipTLSVerify'],
    ],
    [
      'a configuration that is not JSON, and may name a context',
      { [CONFIG]: '{"auths": secret' },
      null,
      [CONFIG, 'is not JSON'],
    ],
  ])('%s is refused with its file and its value', (_situation, files, context, parts) => {
    const locate = () => locateEngine({ ...ENVIRONMENT, context }, filesOf(files));
    expect(locate).toThrow(ConfigurationError);
    for (const part of [...parts, 'set DOCKER_HOST']) expect(locate).toThrow(part);
    expect(locate).not.toThrow('secret');
  });
});

test('a docker context that is named by a user without a home folder is refused with the variable to set', () => {
  const locate = () => locateEngine({ ...ENVIRONMENT, context: 'lab', homeDir: null, configDir: null }, filesOf({}));
  expect(locate).toThrow(/^DOCKER_CONTEXT: this user has no home folder, .*: set DOCKER_CONFIG/);
});

describe('locateEngine on a real file system', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'docker-home-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const locate = (context: string | null) =>
    locateEngine({ context, configDir: join(home, '.docker'), runtimeDir: null, homeDir: home });

  test('the engine of a context is found in the files of Docker', () => {
    const folder = join(home, '.docker', 'contexts', 'meta', idOf('lab'));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(home, '.docker', 'config.json'), current('lab'));
    writeFileSync(join(folder, 'meta.json'), meta({ Host: 'unix:///run/lab.sock' }));
    expect(describeEngine(locate(null))).toBe('unix:///run/lab.sock');
  });

  test('a home without Docker files leads to a usual socket', () => {
    expect(locate(null).source).toMatch(/^usual socket/);
  });

  test('a configuration that cannot be read is refused', () => {
    mkdirSync(join(home, '.docker', 'config.json'), { recursive: true });
    expect(() => locate(null)).toThrow(/config\.json cannot be read, so the docker context is unknown: EISDIR/);
  });
});
