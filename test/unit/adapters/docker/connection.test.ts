import { afterEach, describe, expect, test, vi } from 'vitest';
import { createDocker, describeEngine } from '../../../../src/adapters/docker/connection.js';
import { ConfigurationError } from '../../../../src/domain/errors.js';

const HOSTILE_ENVIRONMENT = {
  DOCKER_HOST: 'tcp://elsewhere.invalid:2376',
  DOCKER_TLS_VERIFY: '1',
  DOCKER_PATH_PREFIX: '/elsewhere',
  DOCKER_CLIENT_TIMEOUT: '1',
} as const;

describe('createDocker', () => {
  afterEach(() => vi.unstubAllEnvs());

  test.each([
    ['unix:///tmp/engine.sock', { socketPath: '/tmp/engine.sock', host: '', port: undefined }],
    ['tcp://here.invalid:2375', { host: 'here.invalid', port: 2375 }],
  ])('a client for %s ignores the environment', (host, place) => {
    for (const [name, value] of Object.entries(HOSTILE_ENVIRONMENT)) vi.stubEnv(name, value);
    expect(createDocker({ host }).modem).toMatchObject({
      ...place,
      protocol: 'http',
      pathPrefix: undefined,
      timeout: undefined,
      agent: undefined,
    });
  });

  test('a client speaks TLS when TLS is configured', () => {
    const { modem } = createDocker({ host: 'tcp://here.invalid', tlsVerify: true });
    expect(modem).toMatchObject({ host: 'here.invalid', port: 2376, protocol: 'https' });
  });

  test('a missing certificate file is reported with DOCKER_CERT_PATH', () => {
    const create = () => createDocker({ host: 'tcp://here.invalid', tlsVerify: true, certPath: '/nowhere' });
    expect(create).toThrow(ConfigurationError);
    expect(create).toThrow(/^DOCKER_CERT_PATH=\/nowhere: .*ca\.pem, cert\.pem and key\.pem; ENOENT/);
  });

  test('a missing certificate of a docker context is reported with that context', () => {
    const settings = {
      host: 'tcp://here.invalid',
      tlsVerify: true,
      certPath: '/nowhere',
      source: 'docker context "lab"',
    };
    expect(() => createDocker(settings)).toThrow(/^docker context "lab"=\/nowhere: it must be a folder with ca\.pem/);
  });

  test('an invalid environment for the library is reported with DOCKER_HOST', () => {
    vi.stubEnv('DOCKER_HOST', 'tcp://[');
    const create = () => createDocker({ host: 'unix:///tmp/engine.sock' });
    expect(create).toThrow(ConfigurationError);
    expect(create).toThrow(/^DOCKER_HOST or DOCKER_CERT_PATH in the environment/);
  });
});

describe('the name of the engine', () => {
  test.each([
    [{ host: 'unix:///tmp/engine.sock' }, 'unix:///tmp/engine.sock'],
    [{ host: 'tcp://here.invalid' }, 'tcp://here.invalid:2375'],
    [{ host: 'tcp://here.invalid', tlsVerify: true }, 'https://here.invalid:2376'],
  ])('the engine at %o is called %s', (settings, name) => {
    expect(describeEngine(settings)).toBe(name);
  });
});
