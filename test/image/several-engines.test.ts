/** With engines of other machines: what each service gets, as Compose understands the two files together. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createPlatform, type Platform } from './platform.js';

const HOSTS = 'eu-1=tcp://10.0.0.11:2376,eu-2=tcp://10.0.0.12:2376';

interface Service {
  readonly environment: Readonly<Record<string, string>>;
  readonly networks: Readonly<Record<string, unknown>>;
  readonly volumes?: readonly {
    readonly source: string;
    readonly target: string;
    readonly read_only?: boolean;
    readonly bind?: unknown;
  }[];
}

interface Resolved {
  readonly services: Readonly<Record<'api' | 'migrate' | 'postgres' | 'redis' | 'worker', Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
}

let platform: Platform;
let resolved: Resolved;
beforeAll(async () => {
  platform = await createPlatform({
    add: 'engines',
    settings: { RTMANAGER_DOCKER_HOSTS: HOSTS, ENGINE_CERTIFICATES: '/etc/certificates' },
  });
  resolved = JSON.parse((await platform.compose(['config', '--format', 'json'])).stdout) as Resolved;
});
afterAll(() => platform.end());

it('the workers get the engines, TLS and the certificates, read-only, beside the socket of this machine', () => {
  const { environment, volumes = [], networks } = resolved.services.worker;
  expect(environment).toMatchObject({
    RTMANAGER_DOCKER_HOSTS: HOSTS,
    DOCKER_TLS_VERIFY: '1',
    DOCKER_CERT_PATH: '/certs',
  });
  expect(volumes).toContainEqual(
    expect.objectContaining({
      source: '/etc/certificates',
      target: '/certs',
      read_only: true,
      bind: expect.not.objectContaining({ create_host_path: true }),
    }),
  );
  expect(volumes.map(({ target }) => target).toSorted()).toEqual(['/certs', '/var/run/docker.sock']);
  expect(Object.keys(networks).toSorted()).toEqual(['engines', 'stores']);
});

it('the API gets the names of the engines, and neither certificates nor the network to the engines', () => {
  const { environment, volumes = [], networks } = resolved.services.api;
  expect(environment['RTMANAGER_DOCKER_HOSTS']).toBe(HOSTS);
  expect(Object.keys(environment).filter((name) => name.startsWith('DOCKER_'))).toEqual([]);
  expect(volumes).toEqual([]);
  expect(Object.keys(networks).toSorted()).toEqual(['outside', 'stores']);
});

it('the stores stay on their own network, without a way out', () => {
  expect(resolved.networks['stores']).toMatchObject({ internal: true });
  for (const name of ['postgres', 'redis', 'migrate'] as const) {
    expect(Object.keys(resolved.services[name].networks)).toEqual(['stores']);
  }
});

it('a missing list of engines is named', async () => {
  const complete = readFileSync(join(platform.folder, '.env'), 'utf8');
  writeFileSync(join(platform.folder, 'incomplete.env'), complete.replace(/^RTMANAGER_DOCKER_HOSTS=.*$/m, ''));
  const { exitCode, stderr } = await platform.tryCompose(['--env-file', 'incomplete.env', 'config', '--quiet']);
  expect(exitCode).not.toBe(0);
  expect(stderr).toMatch(/variable RTMANAGER_DOCKER_HOSTS is missing a value: set it in \.env/);
});
