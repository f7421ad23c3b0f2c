import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { describeSettings } from '../../../src/config/settings.js';

const textOf = (name: string): string => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8');
const namesIn = (text: string, pattern: RegExp): readonly string[] => [
  ...new Set([...text.matchAll(pattern)].map(([, name = '']) => name)),
];

/** Settings that the compose file decides itself; they are not set in its `.env`. */
const DECIDED = [
  'DATABASE_URL',
  'REDIS_URL',
  'DOCKER_HOST',
  'DOCKER_TLS_VERIFY',
  'DOCKER_CERT_PATH',
  'RTMANAGER_QUEUE_BACKEND',
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
