import { describe, expect, test } from 'vitest';
import { type EngineEndpoint, parseEndpoint } from '../../../../src/adapters/docker/endpoint.js';
import { ConfigurationError } from '../../../../src/domain/errors.js';

const network = (host: string, port: number, tls: boolean): EngineEndpoint => ({ kind: 'network', host, port, tls });
const socket = (socketPath: string): EngineEndpoint => ({ kind: 'socket', socketPath });

describe('a valid DOCKER_HOST', () => {
  test.each<[string, EngineEndpoint]>([
    ['unix:///var/run/docker.sock', socket('/var/run/docker.sock')],
    ['UNIX:///run/user/1000/podman/podman.sock', socket('/run/user/1000/podman/podman.sock')],
    [' unix:///var/run/docker.sock ', socket('/var/run/docker.sock')],
    ['unix://', socket('/var/run/docker.sock')],
    ['tcp://engine.internal:2375', network('engine.internal', 2375, false)],
    ['tcp://engine.internal:2375/', network('engine.internal', 2375, false)],
    ['tcp://engine.internal', network('engine.internal', 2375, false)],
    ['tcp://127.0.0.1:80', network('127.0.0.1', 80, false)],
    ['tcp://[::1]:2375', network('[::1]', 2375, false)],
    ['tcp://[::1]', network('[::1]', 2375, false)],
    ['tcp://engine.internal:2376', network('engine.internal', 2376, true)],
    ['http://engine.internal:8080', network('engine.internal', 8080, false)],
    ['http://engine.internal', network('engine.internal', 80, false)],
    ['https://engine.internal:8443', network('engine.internal', 8443, true)],
    ['https://engine.internal', network('engine.internal', 443, true)],
  ])('%s is accepted', (host, endpoint) => {
    expect(parseEndpoint(host)).toEqual(endpoint);
  });

  test.each<[string, EngineEndpoint]>([
    ['tcp://engine.internal:2375', network('engine.internal', 2375, true)],
    ['tcp://engine.internal', network('engine.internal', 2376, true)],
    ['http://engine.internal', network('engine.internal', 443, true)],
    ['unix:///var/run/docker.sock', socket('/var/run/docker.sock')],
  ])('%s is accepted with DOCKER_TLS_VERIFY', (host, endpoint) => {
    expect(parseEndpoint(host, { tlsVerify: true })).toEqual(endpoint);
  });
});

describe('an invalid DOCKER_HOST', () => {
  test.each([
    ['fd://', 'for dockerd to listen on'],
    ['fd://3', 'for dockerd to listen on'],
    ['npipe:////./pipe/docker_engine', 'npipe:// is not supported'],
    ['engine.internal:2375', 'needs a scheme'],
    ['engine.internal', 'needs a scheme'],
    ['ssh://admin@engine.internal', 'ssh -L'],
    ['ftp://engine.internal', 'ftp:// is not supported'],
    ['/var/run/docker.sock', 'unix:// and its absolute path'],
    ['unix://docker.sock', 'absolute path'],
    [`unix:///${'x'.repeat(107)}`, '108 bytes'],
    ['tcp://', 'cannot be read'],
    ['tcp://:2375', 'cannot be read'],
    ['tcp://engine.internal:99999', 'cannot be read'],
    ['tcp://engine internal:2375', 'cannot be read'],
    ['tcp://engine.internal:2375/v1.41', 'nothing may follow the port'],
    ['tcp://engine.internal:2375?tls=1', 'nothing may follow the port'],
    ['unix:/var/run/docker.sock', 'unix:// and its absolute path'],
  ])('%s is refused with the value, the reason and what is allowed', (host, reason) => {
    const parse = (): EngineEndpoint => parseEndpoint(host);
    expect(parse).toThrow(ConfigurationError);
    expect(parse).toThrow(`DOCKER_HOST=${host}: `);
    expect(parse).toThrow(reason);
    expect(parse).toThrow('allowed: unix://');
  });

  test('a password is refused and not shown', () => {
    const parse = (): EngineEndpoint => parseEndpoint('tcp://admin:s3cret@engine.internal:2375');
    expect(parse).toThrow(/^DOCKER_HOST=\(not shown\): a user and a password are not supported/);
  });
});
