/* oxlint-disable vitest/no-conditional-expect -- a property says what holds in each case */
import * as fc from 'fast-check';
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { describeEngine } from '../../../src/adapters/docker/connection.js';
import { poolOptions } from '../../../src/adapters/postgres/pool.js';
import { type Config, effectiveConfig } from '../../../src/config/config.js';
import type { Environment } from '../../../src/config/environment.js';
import { describeSettings } from '../../../src/config/settings.js';
import { ConfigurationError } from '../../../src/domain/errors.js';
import { parseRedisAddress } from '../../../src/domain/redis-address.js';
import { read } from '../config/reading.js';
import { engineHostsWithSecret, hostileValue, SECRET, TOKEN, urlWithSecret, urlWithUserSecret } from './environment.js';
import { fuzz, UNHURRIED } from './fuzzing.js';
import { hostileText } from './hostile.js';

const NAMES = describeSettings().map(({ name }) => name);
const setting = fc.constantFrom(...NAMES).chain((name) => fc.tuple(fc.constant(name), hostileValue(name)));
const environment: fc.Arbitrary<Environment> = fc
  .oneof(fc.array(setting, { minLength: 1, maxLength: 1 }), fc.array(setting, { minLength: 2, maxLength: 6 }))
  .map((settings) => Object.fromEntries(settings));

/** The settings, or the lines with which they are refused; every other exception fails the test. */
function reading(given: Environment): { readonly config: Config } | { readonly lines: readonly string[] } {
  try {
    return { config: read(given) };
  } catch (thrown) {
    if (thrown instanceof ConfigurationError) return { lines: thrown.message.split('\n') };
    throw thrown;
  }
}

/** All text of an environment that people and logs see. */
function shown(given: Environment): string {
  const found = reading(given);
  if ('lines' in found) return found.lines.join('\n');
  return `${JSON.stringify(effectiveConfig(found.config))}\n${engineWords(found.config)}`;
}

/** The adapter's description of the configured engines; it must accept every address that the settings accept. */
function engineWords({ dockerHost, dockerHosts, dockerTlsVerify }: Config): string {
  const hosts = [...(dockerHost === null ? [] : [dockerHost]), ...dockerHosts.map(({ host }) => host)];
  return hosts.map((host) => describeEngine({ host, tlsVerify: dockerTlsVerify })).join(' ');
}

// oxlint-disable-next-line no-control-regex -- characters that break a line or control a terminal
const UNPRINTABLE = /[\u0000-\u001F\u007F-\u009F]/;

describe('an arbitrary environment', () => {
  it('an environment gives frozen settings, or one line for each wrong variable', UNHURRIED, () => {
    fc.assert(
      fc.property(environment, (given) => {
        const found = reading(given);
        if ('config' in found) {
          expect(Object.isFrozen(found.config)).toBe(true);
          return;
        }
        expect(found.lines.length).toBeGreaterThan(0);
        for (const line of found.lines) {
          const isNamed = NAMES.some((name) => line.startsWith(`${name}: `) && name in given);
          expect([line, isNamed]).toEqual([line, true]);
          expect([line, UNPRINTABLE.test(line)]).toEqual([line, false]);
        }
        expect(new Set(found.lines).size).toBe(found.lines.length);
      }),
      fuzz(2_000),
    );
  });

  it('an unknown name is refused in one line', UNHURRIED, () => {
    fc.assert(
      fc.property(hostileText, hostileText, (name, value) => {
        const found = reading({ [`RTMANAGER_${name.slice(0, 300)}`]: value });
        const lines = 'lines' in found ? found.lines : [];
        expect(lines.filter((line) => UNPRINTABLE.test(line))).toEqual([]);
        expect(lines.length).toBeLessThanOrEqual(1);
      }),
      fuzz(1_000),
    );
  });

  it('accepted settings can be used, and an invalid address is refused at the start', UNHURRIED, () => {
    fc.assert(
      fc.property(environment, (given) => {
        const found = reading(given);
        if (!('config' in found)) return;
        const { databaseUrl, redisUrl } = found.config;
        const line = engineWords(found.config);
        expect([line, UNPRINTABLE.test(line)]).toEqual([line, false]);
        if (databaseUrl !== null) expect(parsedAsPostgres(databaseUrl)).toBe(true);
        if (redisUrl !== null) expect(parseRedisAddress(redisUrl)).not.toHaveProperty('why');
      }),
      fuzz(2_000),
    );
  });

  it('a password or a token is never shown', UNHURRIED, () => {
    const secretive = fc.oneof(
      fc.tuple(fc.constantFrom('DATABASE_URL', 'REDIS_URL'), urlWithSecret),
      fc.tuple(fc.constant('DOCKER_HOST'), urlWithUserSecret),
      fc.tuple(fc.constant('RTMANAGER_DOCKER_HOSTS'), engineHostsWithSecret),
      fc.tuple(
        fc.constant('RTMANAGER_API_TOKENS'),
        fc.tuple(hostileText, hostileText).map(([a, b]) => `${a}${TOKEN}${b}`),
      ),
    );
    fc.assert(
      fc.property(fc.array(secretive, { minLength: 1, maxLength: 2 }), environment, (secrets, others) => {
        const text = shown({ ...others, ...Object.fromEntries(secrets) });
        expect(text).not.toContain(SECRET);
        expect(text).not.toContain(TOKEN);
      }),
      fuzz(3_000),
    );
  });
});

/** True when the driver can create a client for the address. */
const parsedAsPostgres = (connectionString: string): boolean =>
  new Client(poolOptions({ connectionString, applicationName: 'fuzz', max: 1 })).port > 0;
