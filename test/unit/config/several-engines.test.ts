import { describe, expect, it } from 'vitest';
import type { Environment } from '../../../src/config/environment.js';
import { linesOf, read } from './reading.js';

describe('settings of several engines that contradict each other', () => {
  const cases: readonly (readonly [situation: string, environment: Environment, line: string])[] = [
    [
      'TLS where several engines all have a socket file',
      {
        DOCKER_TLS_VERIFY: '1',
        DOCKER_CERT_PATH: '/certs',
        DOCKER_HOST: 'unix:///a',
        RTMANAGER_DOCKER_HOSTS: 'b=unix:///b',
      },
      'DOCKER_TLS_VERIFY: "1" contradicts DOCKER_HOST unix:///a, b=unix:///b; allowed with tcp:// and https:// only',
    ],
    [
      'TLS for some engines, with one at plain http:// among them',
      { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs', RTMANAGER_DOCKER_HOSTS: 'a=tcp://a,b=http://b' },
      'DOCKER_TLS_VERIFY: "1" contradicts b=http://b; allowed with tcp:// and https:// only',
    ],
    [
      'TLS over tcp:// to one of several engines without certificates',
      { DOCKER_TLS_VERIFY: '1', RTMANAGER_DOCKER_HOSTS: 'a=tcp://a,b=https://b,c=unix:///c' },
      'DOCKER_TLS_VERIFY: "1" with a=tcp://a needs DOCKER_CERT_PATH, a folder with ca.pem, cert.pem and key.pem',
    ],
    [
      'certificates that are checked with one engine and not with two others',
      { DOCKER_CERT_PATH: '/certs', DOCKER_HOST: 'https://a', RTMANAGER_DOCKER_HOSTS: 'b=tcp://b,c=tcp://c:2376' },
      'DOCKER_CERT_PATH: "/certs" is not used on b=tcp://b, c=tcp://c:2376; allowed there with DOCKER_TLS_VERIFY=1',
    ],
    [
      'two names for one engine',
      { RTMANAGER_DOCKER_HOSTS: 'a=tcp://engine:2375,b=unix:///b,c=tcp://engine:2375' },
      'RTMANAGER_DOCKER_HOSTS: c=tcp://engine:2375 has the address of a=tcp://engine:2375, so one engine would get twice the load; allowed: one name for each address',
    ],
    [
      'a name for the default engine',
      { DOCKER_HOST: 'unix:///var/run/docker.sock', RTMANAGER_DOCKER_HOSTS: 'a=unix:///var/run/docker.sock' },
      'RTMANAGER_DOCKER_HOSTS: a=unix:///var/run/docker.sock has the address of DOCKER_HOST unix:///var/run/docker.sock, so one engine would get twice the load; allowed: one name for each address',
    ],
  ];
  it.each(cases)('%s is refused', (_situation, environment, line) => {
    expect(linesOf(environment)).toEqual([line]);
  });

  it.each([
    ['tcp://Engine', 'tcp://engine:2375'],
    ['http://engine', 'tcp://engine:80'],
    ['https://engine', 'tcp://engine:443'],
    ['tcp://127.0.0.1:2375/', 'tcp://127.1:2375'],
    ['unix://', 'unix:///var/run/docker.sock'],
    ['unix:///run/docker.sock', 'unix:///var/run/docker.sock'],
    ['unix:///run//docker.sock', 'UNIX:///run/docker.sock'],
  ])('%s and %s are one address', (one, other) => {
    const line = expect.stringContaining(`b=${other} has the address of a=${one}, `) as unknown;
    expect(linesOf({ RTMANAGER_DOCKER_HOSTS: `a=${one},b=${other}` })).toEqual([line]);
  });

  it('the port that is meant by an address without one depends on TLS', () => {
    const tls = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs' };
    const at = (port: number) => ({ RTMANAGER_DOCKER_HOSTS: `a=tcp://engine,b=tcp://engine:${port}` });
    expect(linesOf({ ...tls, ...at(2376) })).toHaveLength(1);
    expect(linesOf({ ...tls, ...at(2375) })).toEqual([]);
    expect(linesOf(at(2376))).toEqual([]);
  });

  it('engines at the same host with different ports are accepted', () => {
    expect(linesOf({ DOCKER_HOST: 'tcp://engine:1', RTMANAGER_DOCKER_HOSTS: 'a=tcp://engine:2' })).toEqual([]);
  });

  it('TLS is accepted with a socket beside an engine that uses it', () => {
    const tls = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs' };
    expect(linesOf({ ...tls, RTMANAGER_DOCKER_HOSTS: 'a=tcp://a:2376' })).toEqual([]);
    expect(linesOf({ ...tls, DOCKER_HOST: 'unix://', RTMANAGER_DOCKER_HOSTS: 'a=tcp://a:2376' })).toEqual([]);
    expect(linesOf({ ...tls, DOCKER_HOST: 'tcp://a:2376', RTMANAGER_DOCKER_HOSTS: 'b=unix://' })).toEqual([]);
    expect(linesOf({ DOCKER_TLS_VERIFY: '1', RTMANAGER_DOCKER_HOSTS: 'a=https://a,b=unix://' })).toEqual([]);
  });

  it('an engine at https:// does not make the others use TLS', () => {
    expect(read({ DOCKER_HOST: 'https://a', RTMANAGER_DOCKER_HOSTS: 'b=tcp://b:2375' }).dockerTlsVerify).toBe(false);
  });
});

describe('RTMANAGER_ENGINE_CONCURRENCY, when it is not set', () => {
  it.each([
    ['all slots of the worker for one engine', '8', {}, 8],
    ['half of the slots for several engines', '8', { RTMANAGER_DOCKER_HOSTS: 'a=tcp://a' }, 4],
    ['half of the slots, rounded up', '5', { RTMANAGER_DOCKER_HOSTS: 'a=tcp://a,b=tcp://b' }, 3],
    ['one slot when the worker has only one', '1', { RTMANAGER_DOCKER_HOSTS: 'a=tcp://a' }, 1],
  ])('the default of RTMANAGER_ENGINE_CONCURRENCY is %s', (_what, slots, engines, expected) => {
    expect(read({ RTMANAGER_WORKER_CONCURRENCY: slots, ...engines }).engineConcurrency).toBe(expected);
  });

  it('the default of RTMANAGER_ENGINE_CONCURRENCY follows that of RTMANAGER_WORKER_CONCURRENCY', () => {
    expect(read({ REDIS_URL: 'redis://cache' }).engineConcurrency).toBe(8);
    expect(read({ REDIS_URL: 'redis://cache', RTMANAGER_DOCKER_HOSTS: 'a=tcp://a' }).engineConcurrency).toBe(4);
  });
});
