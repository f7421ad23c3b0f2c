import { describe, expect, test } from 'vitest';
import { type EngineEndpoint, parseEndpoint } from '../../../../src/adapters/docker/endpoint.js';
import { ConfigurationError } from '../../../../src/domain/errors.js';

const network = (host: string, port: number, tls: boolean): EngineEndpoint => ({ kind: 'network', host, port, tls });
const socket = (socketPath: string): EngineEndpoint => ({ kind: 'socket', socketPath });

describe('a DOCKER_HOST that is understood', () => {
  test.each<[string, EngineEndpoint]>([
    ['unix:///var/run/docker.sock', socket('/var/run/docker.sock')],
    ['UNIX:///run/user/1000/podman/podman.sock', socket('/run/user/1000/podman/podman.sock')],
    [' unix:///var/run/docker.sock ', socket('/var/run/docker.sock')],
    ['npipe:////./pipe/docker_engine', socket('//./pipe/docker_engine')],
    ['npipe://', socket('//./pipe/docker_engine')],
    ['tcp://engine.internal:2375', network('engine.internal', 2375, false)],
    ['tcp://engine.internal:2375/', network('engine.internal', 2375, false)],
    ['tcp://engine.internal', network('engine.internal', 2375, false)],
    ['tcp://127.0.0.1:80', network('127.0.0.1', 80, false)],
    ['tcp://[::1]:2375', network('[::1]', 2375, false)],
    ['tcp://[::1]', network('[::1]', 2375, false)],
    ['tcp://engine.internal:2376', network('engine.internal', 2376, true)],
    ['engine.internal:2375', network('engine.internal', 2375, false)],
    ['http://engine.internal:8080', network('engine.internal', 8080, false)],
    ['http://engine.internal', network('engine.internal', 80, false)],
    ['https://engine.internal:8443', network('engine.internal', 8443, true)],
    ['https://engine.internal', network('engine.internal', 443, true)],
  ])('%s', (host, endpoint) => {
    expect(parseEndpoint(host, false)).toEqual(endpoint);
  });

  test.each<[string, EngineEndpoint]>([
    ['tcp://engine.internal:2375', network('engine.internal', 2375, true)],
    ['tcp://engine.internal', network('engine.internal', 2376, true)],
    ['http://engine.internal', network('engine.internal', 443, true)],
    ['unix:///var/run/docker.sock', socket('/var/run/docker.sock')],
  ])('%s with DOCKER_TLS_VERIFY', (host, endpoint) => {
    expect(parseEndpoint(host, true)).toEqual(endpoint);
  });
});

describe('a DOCKER_HOST that cannot work', () => {
  test.each([
    ['fd://', 'fd:// tells dockerd'],
    ['fd://3', 'fd:// tells dockerd'],
    ['ssh://admin@engine.internal', 'ssh -L'],
    ['ftp://engine.internal', 'ftp:// is not supported'],
    ['/var/run/docker.sock', 'unix:///var/run/docker.sock'],
    ['unix://docker.sock', 'absolute path'],
    [`unix:///${'x'.repeat(107)}`, '108 bytes'],
    ['tcp://', 'no host and port'],
    ['tcp://:2375', 'no host and port'],
    ['tcp://engine.internal:99999', 'no host and port'],
    ['tcp://engine internal:2375', 'no host and port'],
    ['tcp://engine.internal:2375/v1.41', 'not even a path'],
    ['tcp://engine.internal:2375?tls=1', 'not even a path'],
    ['unix:/var/run/docker.sock', 'unix:///var/run/docker.sock'],
  ])('%s is refused with the value, the reason and what is allowed', (host, reason) => {
    const parse = (): EngineEndpoint => parseEndpoint(host, false);
    expect(parse).toThrow(ConfigurationError);
    expect(parse).toThrow(`DOCKER_HOST=${host}: `);
    expect(parse).toThrow(reason);
    expect(parse).toThrow('allowed: unix://');
  });

  test('a password is refused without being shown', () => {
    const parse = (): EngineEndpoint => parseEndpoint('tcp://admin:s3cret@engine.internal:2375', false);
    expect(parse).toThrow(/^DOCKER_HOST=\(not shown\): a user or password does not belong here/);
  });
});
