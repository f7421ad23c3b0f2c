import { afterEach, describe, expect, test, vi } from 'vitest';
import type Docker from 'dockerode';
import { createDocker, describeEngine, identifyEngine } from '../../../../src/adapters/docker/connection.js';
import { ConfigurationError, EngineRefusalError, UnavailableError } from '../../../../src/domain/errors.js';
import { createManualClock } from '../../../support/manual-clock.js';

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

describe('the identity of an engine', () => {
  const INFO = { ID: 'engine-1', DockerRootDir: '/var/lib/docker', Driver: 'overlay2' };
  type Done = (error: unknown, body: unknown) => void;
  const identifiedBy = (answer: (done: Done) => void) => {
    const asked: unknown[] = [];
    const modem = {
      dial: ({ path }: { readonly path: string }, done: Done) => {
        asked.push(path);
        answer(done);
      },
    };
    const clock = createManualClock();
    // Of dockerode's class only this member is used.
    const identity = identifyEngine({ docker: { modem } as unknown as Docker, clock, timeoutMs: 1_500 });
    return { identity, asked, clock };
  };
  const says = (body: unknown) => identifiedBy((done) => done(null, body)).identity;

  test('is what the engine says of itself and of its storage, in one question', async () => {
    const { identity, asked } = identifiedBy((done) => done(null, INFO));
    expect(await identity).toEqual({ engineId: 'engine-1', rootDir: '/var/lib/docker', storageDriver: 'overlay2' });
    expect(asked).toEqual(['/info']);
  });

  test('has an empty id for Podman, which makes a new one for each answer', async () => {
    const podman = says({ ...INFO, BuildahVersion: '1.33.5' });
    expect(await podman).toEqual({ engineId: '', rootDir: '/var/lib/docker', storageDriver: 'overlay2' });
  });

  test('has an empty id where the engine has none', async () => {
    expect(await says({ ...INFO, ID: undefined })).toMatchObject({ engineId: '' });
  });

  test.each([
    ['a web page', '<html>'],
    ['an answer without the data folder', { ...INFO, DockerRootDir: undefined }],
    ['an answer without the storage driver', { ...INFO, Driver: 7 }],
  ])('cannot be read from %s', async (_what, body) => {
    await expect(says(body)).rejects.toThrow('what answers does not say which engine it is');
  });

  test('is a refusal when the engine itself answers with an error', async () => {
    const { identity } = identifiedBy((done) => done({ statusCode: 500, json: { message: 'broken' } }, null));
    await expect(identity).rejects.toBeInstanceOf(EngineRefusalError);
  });

  test('is an outage when nothing listens', async () => {
    const { identity } = identifiedBy((done) =>
      done(Object.assign(new Error('connect ENOENT'), { code: 'ENOENT' }), null),
    );
    const error: unknown = await identity.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).not.toBeInstanceOf(EngineRefusalError);
  });

  test('is an outage when no answer comes in time', async () => {
    const { identity, clock } = identifiedBy(() => undefined);
    const failure = identity.catch((thrown: unknown) => thrown);
    await clock.advance(1_500);
    expect(await failure).toMatchObject({
      message: expect.stringContaining('the engine does not answer: no answer within 1500 ms'),
    });
  });
});
