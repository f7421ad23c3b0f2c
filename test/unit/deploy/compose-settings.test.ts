import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeSettings } from '../../../src/config/settings.js';
import { read } from '../config/reading.js';

const textOf = (name: string): string => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8');
const namesIn = (text: string, pattern: RegExp): readonly string[] => [
  ...new Set([...text.matchAll(pattern)].map(([, name = '']) => name)),
];

/** Settings that the compose file decides itself; they are not set in its `.env`. */
const DECIDED = [
  'DATABASE_URL',
  'REDIS_URL',
  // Its Redis is on the same internal network and speaks no TLS.
  'REDIS_TLS_CA_FILE',
  'REDIS_TLS_CERT_FILE',
  'REDIS_TLS_KEY_FILE',
  'DOCKER_HOST',
  'DOCKER_TLS_VERIFY',
  'DOCKER_CERT_PATH',
  // Only with docker-compose.engines.yml.
  'RTMANAGER_DOCKER_HOSTS',
  'RTMANAGER_QUEUE_BACKEND',
  'RTMANAGER_QUEUE_DATABASE_URL',
  'RTMANAGER_LEASE_STORE',
  'RTMANAGER_INTERNAL_HTTP_ADDR',
  'RTMANAGER_SHUTDOWN_TIMEOUT',
  'RTMANAGER_DATA_DIR',
];

it('the compose file passes on exactly the settings that it does not set itself', () => {
  const passedOn = namesIn(textOf('docker-compose.yml'), /\$\{(RTMANAGER_[A-Z_]+)/g);
  const settings = describeSettings().map(({ name }) => name);
  expect([...passedOn, ...DECIDED].toSorted()).toEqual(settings.toSorted());
});

it('.env.example names every variable that the compose files require', () => {
  const wanted = ['docker-compose.yml', 'docker-compose.engine-proxy.yml'].flatMap((name) =>
    namesIn(textOf(name), /\$\{([A-Z_]+):\?/g),
  );
  const toFillIn = namesIn(textOf('.env.example'), /^([A-Z_]+)=$/gm);
  expect(toFillIn.toSorted()).toEqual([...new Set(wanted)].toSorted());
});

describe('docker-compose.engines.yml', () => {
  const compose = textOf('docker-compose.engines.yml');
  const example = Object.fromEntries(
    [...textOf('.env.example').matchAll(/^#([A-Z_]+)=(.+)$/gm)].map(([, name = '', value]) => [name, value] as const),
  );

  it('requires only variables of which .env.example has an example', () => {
    const wanted = namesIn(compose, /\$\{([A-Z_]+):\?/g);
    expect(wanted).toEqual(['RTMANAGER_DOCKER_HOSTS', 'ENGINE_CERTIFICATES']);
    expect(wanted.filter((name) => example[name] === undefined)).toEqual([]);
  });

  it('makes settings of the example that the workers accept', () => {
    const decided = Object.fromEntries(
      [...compose.matchAll(/^ +(DOCKER_[A-Z_]+): '?([^'\n]+)'?$/gm)].map(
        ([, name = '', value]) => [name, value] as const,
      ),
    );
    const hosts = example['RTMANAGER_DOCKER_HOSTS'];
    expect(read({ ...decided, RTMANAGER_DOCKER_HOSTS: hosts })).toMatchObject({
      dockerHosts: [
        { name: 'eu-1', host: 'tcp://10.0.0.11:2376' },
        { name: 'eu-2', host: 'tcp://10.0.0.12:2376' },
      ],
      dockerTlsVerify: true,
      dockerCertPath: '/certs',
    });
  });

  it('makes settings of the example that the API accepts without certificates', () => {
    expect(read({ RTMANAGER_DOCKER_HOSTS: example['RTMANAGER_DOCKER_HOSTS'] }).dockerHosts).toHaveLength(2);
  });
});
