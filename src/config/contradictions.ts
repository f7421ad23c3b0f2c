import { normalize } from 'node:path';
import { type EngineAddress, networkEndpoint, parseEngineAddress } from '../domain/engine-address.js';
import { parseRedisAddress } from '../domain/redis-address.js';
import { conflictMaxDelayMsFor, conflictPatienceMs } from '../jobs/retry-policy.js';
import { connectionLines } from './connections.js';
import { formatEngineHost } from './engine-hosts.js';
import type { Environment } from './environment.js';
import { formatHttpAddress, isLoopback } from './http-address.js';
import type { SettingValues } from './settings.js';
import { shownUrl } from './shown-url.js';

/** One line for each pair of settings that cannot hold together, each fine by itself. */
export function contradictionLines(values: SettingValues, given: Environment): readonly string[] {
  return [
    ...dataDirLines(values),
    ...storeLines(values),
    ...redisTlsLines(values),
    ...queueAddressLines(values),
    ...sameEngineLines(values),
    ...tlsLines(values, given),
    ...retryLines(values, given),
    ...openServerLines(values),
    ...connectionLines(values),
  ];
}

function dataDirLines({ databaseUrl, dataDir }: SettingValues): readonly string[] {
  if (databaseUrl !== null || dataDir !== null) return [];
  return [
    'RTMANAGER_DATA_DIR: not set, and the user of this process has no home folder for its default; allowed: an absolute path, or DATABASE_URL instead',
  ];
}

function storeLines({ redisUrl, queueBackend, leaseStore }: SettingValues): readonly string[] {
  if (redisUrl !== null) return [];
  return Object.entries({ RTMANAGER_QUEUE_BACKEND: queueBackend, RTMANAGER_LEASE_STORE: leaseStore })
    .filter(([, store]) => store === 'redis')
    .map(([name]) => `${name}: "redis" needs REDIS_URL, which is not set; allowed without it: postgres`);
}

/** A file that is not used would leave a connection open to others that its owner believes protected. */
function redisTlsLines({ redisUrl, redisTlsCaFile, redisTlsCertFile, redisTlsKeyFile }: SettingValues) {
  const files = {
    REDIS_TLS_CA_FILE: redisTlsCaFile,
    REDIS_TLS_CERT_FILE: redisTlsCertFile,
    REDIS_TLS_KEY_FILE: redisTlsKeyFile,
  };
  const given = Object.entries(files).filter(([, path]) => path !== null);
  const address = redisUrl === null ? undefined : parseRedisAddress(redisUrl);
  if (address === undefined || address.kind === 'invalid' || !address.tls) {
    const where = redisUrl === null ? 'without REDIS_URL' : `on ${shownUrl(redisUrl)}`;
    const allowed = 'with rediss://, rediss-cluster:// or rediss-sentinel:// in REDIS_URL';
    return given.map(([name, path]) => `${name}: ${JSON.stringify(path)} is not used ${where}; allowed ${allowed}`);
  }
  if ((redisTlsCertFile === null) === (redisTlsKeyFile === null)) return [];
  const [name, missing] =
    redisTlsKeyFile === null
      ? (['REDIS_TLS_CERT_FILE', 'REDIS_TLS_KEY_FILE'] as const)
      : (['REDIS_TLS_KEY_FILE', 'REDIS_TLS_CERT_FILE'] as const);
  return [`${name}: ${JSON.stringify(files[name])} needs ${missing}, which is not set; allowed: both or neither`];
}

function queueAddressLines({ queueDatabaseUrl, queueBackend, databaseUrl }: SettingValues): readonly string[] {
  if (queueDatabaseUrl === null) return [];
  const given = `RTMANAGER_QUEUE_DATABASE_URL: ${JSON.stringify(shownUrl(queueDatabaseUrl))}`;
  if (queueBackend === 'redis')
    return [`${given} is not used while the queue is in Redis; allowed with RTMANAGER_QUEUE_BACKEND=postgres`];
  return databaseUrl === null ? [`${given} needs DATABASE_URL, which is not set`] : [];
}

interface NamedEngine {
  /** As it is written in messages, without secrets. */
  readonly shown: string;
  readonly address: EngineAddress;
}

/** The engines that settings name, that of `DOCKER_HOST` first. */
function namedEngines({ dockerHost, dockerHosts }: SettingValues): readonly NamedEngine[] {
  const first = dockerHost === null ? [] : [{ shown: `DOCKER_HOST ${shownUrl(dockerHost)}`, host: dockerHost }];
  const others = dockerHosts.map((engine) => ({ shown: formatEngineHost(engine), host: engine.host }));
  return [...first, ...others].map(({ shown, host }) => ({ shown, address: parseEngineAddress(host) }));
}

/** Two names for one engine would give it twice the load that its limit allows. */
function sameEngineLines(values: SettingValues): readonly string[] {
  const firstAt = new Map<string, string>();
  const lines: string[] = [];
  for (const { shown, address } of namedEngines(values)) {
    const place = placeOf(address, { tlsVerify: values.dockerTlsVerify });
    const first = firstAt.get(place);
    if (first === undefined) {
      firstAt.set(place, shown);
    } else {
      lines.push(
        `RTMANAGER_DOCKER_HOSTS: ${shown} has the address of ${first}, so one engine would get twice the load; allowed: one name for each address`,
      );
    }
  }
  return lines;
}

/** The same text for two addresses that lead to one socket or port. */
function placeOf(address: EngineAddress, options: { readonly tlsVerify: boolean }): string {
  switch (address.kind) {
    case 'socket':
      // On Linux the one folder is a link to the other.
      return normalize(address.socketPath).replace(/^\/var\/run\//, '/run/');
    case 'network':
      return `${address.host}:${networkEndpoint(address, options).port}`;
    case 'invalid':
      return address.why;
  }
}

function tlsLines(values: SettingValues, given: Environment): readonly string[] {
  const { dockerCertPath } = values;
  const engines = namedEngines(values);
  const shownWith = (...schemes: readonly Scheme[]): string =>
    engines
      .filter(({ address }) => schemes.includes(schemeOf(address)))
      .map(({ shown }) => shown)
      .join(', ');
  const tcp = shownWith('tcp');
  if (given['DOCKER_TLS_VERIFY'] === undefined) {
    // Docker's own tools would then encrypt without a check of the certificate, other clients would not encrypt at all.
    return tcp === '' || dockerCertPath === null
      ? []
      : [
          `DOCKER_CERT_PATH: ${JSON.stringify(dockerCertPath)} is not used on ${tcp}; allowed there with DOCKER_TLS_VERIFY=1`,
        ];
  }
  if (engines.length === 0) {
    return [
      'DOCKER_TLS_VERIFY: "1" needs DOCKER_HOST or RTMANAGER_DOCKER_HOSTS, and neither is set; allowed with tcp:// and https:// only (a docker context has its own TLS files)',
    ];
  }
  // A socket beside engines with TLS is fine: no network is between. Plain http:// is one without TLS.
  const plain = shownWith('tcp', 'https') === '' ? shownWith('unix', 'http') : shownWith('http');
  return [
    ...(plain === '' ? [] : [`DOCKER_TLS_VERIFY: "1" contradicts ${plain}; allowed with tcp:// and https:// only`]),
    ...(tcp === '' || dockerCertPath !== null
      ? []
      : [`DOCKER_TLS_VERIFY: "1" with ${tcp} needs DOCKER_CERT_PATH, a folder with ca.pem, cert.pem and key.pem`]),
  ];
}

type Scheme = 'unix' | 'tcp' | 'http' | 'https';

function schemeOf(address: EngineAddress): Scheme {
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
