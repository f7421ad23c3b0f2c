import { type EngineAddress, parseEngineAddress } from '../domain/engine-address.js';
import { conflictMaxDelayMsFor, conflictPatienceMs } from '../jobs/retry-policy.js';
import type { Environment } from './environment.js';
import { formatHttpAddress, isLoopback } from './http-address.js';
import type { SettingValues } from './settings.js';
import { shownUrl } from './shown-url.js';

/** One line for each pair of settings that cannot hold together, each fine by itself. */
export function contradictionLines(values: SettingValues, given: Environment): readonly string[] {
  return [...storeLines(values), ...tlsLines(values, given), ...retryLines(values, given), ...openServerLines(values)];
}

function storeLines({ redisUrl, queueBackend, leaseStore }: SettingValues): readonly string[] {
  if (redisUrl !== null) return [];
  return Object.entries({ RTMANAGER_QUEUE_BACKEND: queueBackend, RTMANAGER_LEASE_STORE: leaseStore })
    .filter(([, store]) => store === 'redis')
    .map(([name]) => `${name}: "redis" needs REDIS_URL, which is not set; allowed without it: postgres`);
}

function tlsLines({ dockerHost, dockerCertPath }: SettingValues, given: Environment): readonly string[] {
  const host = dockerHost === null ? '' : shownUrl(dockerHost);
  const scheme = dockerHost === null ? 'none' : schemeOf(parseEngineAddress(dockerHost));
  if (given['DOCKER_TLS_VERIFY'] === undefined) {
    // Docker's own tools would then encrypt without a check of the certificate, other clients would not encrypt at all.
    return scheme === 'tcp' && dockerCertPath !== null
      ? [
          `DOCKER_CERT_PATH: ${JSON.stringify(dockerCertPath)} is not used on ${host}; allowed there with DOCKER_TLS_VERIFY=1`,
        ]
      : [];
  }
  switch (scheme) {
    case 'https':
      return [];
    case 'tcp':
      return dockerCertPath === null
        ? [`DOCKER_TLS_VERIFY: "1" with ${host} needs DOCKER_CERT_PATH, a folder with ca.pem, cert.pem and key.pem`]
        : [];
    case 'none':
      return [
        'DOCKER_TLS_VERIFY: "1" needs DOCKER_HOST, which is not set; allowed with tcp:// and https:// only (a docker context has its own TLS files)',
      ];
    case 'unix':
    case 'http':
      return [`DOCKER_TLS_VERIFY: "1" contradicts DOCKER_HOST ${host}; allowed with tcp:// and https:// only`];
  }
}

function schemeOf(address: EngineAddress): 'unix' | 'tcp' | 'http' | 'https' {
  return address.kind === 'network' ? address.scheme : 'unix';
}

const MOST_ATTEMPTS = 1_000;

/** A lease left behind by a crash must expire before the jobs that meet it become dead letters. */
function retryLines({ conflictMaxAttempts, leaseTtlMs }: SettingValues, given: Environment): readonly string[] {
  const spanOf = (attempts: number): number =>
    conflictPatienceMs({
      conflictMaxAttempts: attempts,
      conflictMaxDelayMs: conflictMaxDelayMsFor(leaseTtlMs),
    });
  if (spanOf(conflictMaxAttempts) > leaseTtlMs) return [];
  let fewest = conflictMaxAttempts;
  while (fewest < MOST_ATTEMPTS && spanOf(fewest) <= leaseTtlMs) fewest += 1;
  const lease = leaseTtlMs / 1_000;
  const end = `after ${spanOf(conflictMaxAttempts) / 1_000}s, while a game lease of ${lease}s that a crash left behind still lasts`;
  return given['RTMANAGER_CONFLICT_MAX_ATTEMPTS'] === undefined
    ? [
        `RTMANAGER_GAME_LEASE_TTL_SECONDS: "${lease}" is too long for ${conflictMaxAttempts} attempts: the retries of a conflict end ${end}; allowed with RTMANAGER_CONFLICT_MAX_ATTEMPTS from ${fewest} to ${MOST_ATTEMPTS}`,
      ]
    : [
        `RTMANAGER_CONFLICT_MAX_ATTEMPTS: "${conflictMaxAttempts}" ends the retries of a conflict ${end}; allowed with RTMANAGER_GAME_LEASE_TTL_SECONDS=${lease}: ${fewest} to ${MOST_ATTEMPTS}`,
      ];
}

/** Callers of the API can have containers removed, so it is not open to other machines without a token. */
function openServerLines({ httpAddress, apiTokens }: SettingValues): readonly string[] {
  if (isLoopback(httpAddress) || apiTokens.length > 0) return [];
  return [
    `RTMANAGER_INTERNAL_HTTP_ADDR: "${formatHttpAddress(httpAddress)}" can be reached from other machines, so it needs RTMANAGER_API_TOKENS; allowed without them: 127.0.0.1, [::1] or localhost`,
  ];
}
