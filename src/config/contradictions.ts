import { formatHttpAddress, type HttpAddress, isLoopback } from './http-address.js';
import { shownUrl } from './shown-url.js';

/** The settings that depend on one another, each fine by itself. */
export interface RelatedSettings {
  readonly REDIS_URL?: string | undefined;
  readonly RTMANAGER_QUEUE_BACKEND?: string | undefined;
  readonly RTMANAGER_LEASE_STORE?: string | undefined;
  readonly DOCKER_HOST: string;
  readonly DOCKER_TLS_VERIFY?: string | undefined;
  readonly DOCKER_CERT_PATH?: string | undefined;
  readonly RTMANAGER_INTERNAL_HTTP_ADDR: HttpAddress;
  readonly RTMANAGER_API_TOKENS?: readonly string[] | undefined;
}

/** One line for each pair of settings that cannot hold together. */
export function contradictionLines(settings: RelatedSettings): readonly string[] {
  return [...storeLines(settings), ...tlsLines(settings), ...openDoorLines(settings)];
}

function storeLines(settings: RelatedSettings): readonly string[] {
  if (settings.REDIS_URL !== undefined) return [];
  return (['RTMANAGER_QUEUE_BACKEND', 'RTMANAGER_LEASE_STORE'] as const)
    .filter((name) => settings[name] === 'redis')
    .map((name) => `${name}: "redis" needs REDIS_URL, which is not set; allowed without it: postgres`);
}

function tlsLines(settings: RelatedSettings): readonly string[] {
  const host = shownUrl(settings.DOCKER_HOST);
  const isTcp = settings.DOCKER_HOST.startsWith('tcp://');
  const certPath = settings.DOCKER_CERT_PATH;
  if (settings.DOCKER_TLS_VERIFY === undefined) {
    // Docker's own tools would then encrypt without checking whom they talk to, others would not encrypt at all.
    return isTcp && certPath !== undefined
      ? [`DOCKER_CERT_PATH: ${JSON.stringify(certPath)} is not used on ${host}; allowed there with DOCKER_TLS_VERIFY=1`]
      : [];
  }
  if (isTcp && certPath === undefined) {
    return [`DOCKER_TLS_VERIFY: "1" with ${host} needs DOCKER_CERT_PATH, a folder with ca.pem, cert.pem and key.pem`];
  }
  if (!isTcp && !settings.DOCKER_HOST.startsWith('https://')) {
    return [`DOCKER_TLS_VERIFY: "1" contradicts DOCKER_HOST ${host}; allowed with tcp:// and https:// only`];
  }
  return [];
}

/** Whoever reaches the API can have containers removed. */
function openDoorLines({ RTMANAGER_INTERNAL_HTTP_ADDR: address, RTMANAGER_API_TOKENS: tokens }: RelatedSettings) {
  if (isLoopback(address) || tokens !== undefined) return [];
  return [
    `RTMANAGER_INTERNAL_HTTP_ADDR: "${formatHttpAddress(address)}" can be reached from other machines, so it needs RTMANAGER_API_TOKENS; allowed without them: 127.0.0.1, [::1] or localhost`,
  ];
}
