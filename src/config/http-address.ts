import { isIPv4, isIPv6 } from 'node:net';

/** Where to listen. */
export interface HttpAddress {
  /** A name or an IP address, IPv6 without brackets. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** Where the service listens by default. */
export const DEFAULT_HTTP_ADDRESS = '127.0.0.1:8096';

const ADDRESS = /^(?:\[(?<ipv6>[^[\]]+)\]|(?<host>[a-z\d.-]*)):(?<port>\d{1,5})$/i;

/** `host:port`, `[ipv6]:port`, or `:port` for every IPv4 address of the machine; undefined for anything else. */
export function parseHttpAddress(text: string): HttpAddress | undefined {
  const { ipv6, host = '', port = '' } = ADDRESS.exec(text)?.groups ?? {};
  if (port === '' || Number(port) > 65_535) return undefined;
  if (ipv6 !== undefined) return isIPv6(ipv6) ? { host: ipv6, port: Number(port) } : undefined;
  // Digits and dots that are not an address would be looked up as a name, and fail later.
  if (/^[\d.]+$/.test(host) && !isIPv4(host)) return undefined;
  return { host: host === '' ? '0.0.0.0' : host.toLowerCase(), port: Number(port) };
}

/** As it is written in a URL. */
export const formatHttpAddress = ({ host, port }: HttpAddress): string =>
  `${isIPv6(host) ? `[${host}]` : host}:${port}`;

/** Whether only this machine can reach it. A name other than localhost may resolve to any address. */
export function isLoopback({ host }: Pick<HttpAddress, 'host'>): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** The address at which this machine reaches a server that listens there: every address includes loopback. */
export function whereToAsk({ host, port }: HttpAddress): HttpAddress {
  if (host === '0.0.0.0') return { host: '127.0.0.1', port };
  return host === '::' ? { host: '::1', port } : { host, port };
}
