/**
 * The grammar of an engine's address, as in `DOCKER_HOST` and in a docker context. Settings and adapter read it with
 * this one function, so that an address that passes the start cannot be refused at the first removal.
 */
export type EngineAddress =
  | { readonly kind: 'socket'; readonly socketPath: string }
  | NetworkAddress
  | { readonly kind: 'invalid'; readonly why: string };

interface NetworkAddress {
  readonly kind: 'network';
  readonly scheme: 'tcp' | 'http' | 'https';
  readonly host: string;
  /** Null: not given, so the default of the scheme. */
  readonly port: number | null;
}

export const ENGINE_ADDRESSES_ALLOWED = 'unix:///path, tcp://host:port, http://host:port or https://host:port';

/** Where Docker listens unless told otherwise; `unix://` alone means it too, as for Docker's own tools. */
export const SYSTEM_SOCKET = '/var/run/docker.sock';

// The kernel's limit less the closing NUL; a longer path would be cut without an error and name another file.
const SOCKET_PATH_MAX_BYTES = process.platform === 'darwin' ? 103 : 107;

export function parseEngineAddress(text: string): EngineAddress {
  // A URL's parser passes over line feeds and tabs as if they were not there.
  if (/\p{Cc}/u.test(text)) return invalid('it has a control character');
  const { scheme = '', rest = '' } = /^(?<scheme>[^:/]+):\/\/(?<rest>.*)$/s.exec(text)?.groups ?? {};
  switch (scheme.toLowerCase()) {
    case 'unix':
      return parseSocket(rest === '' ? SYSTEM_SOCKET : rest);
    case 'tcp':
      return parseNetwork('tcp', rest);
    case 'http':
      return parseNetwork('http', rest);
    case 'https':
      return parseNetwork('https', rest);
    case 'fd':
      return invalid('fd:// is an address for dockerd to listen on; a client needs the address of that socket');
    case 'ssh':
      return invalid('ssh:// would open a connection for each request; forward the socket with ssh -L and name it');
    case '':
      return invalid(
        /^(?:unix:)?\//.test(text) ? 'a socket is written as unix:// and its absolute path' : 'it needs a scheme',
      );
    default:
      return invalid(`the scheme ${scheme}:// is not supported`);
  }
}

function parseSocket(socketPath: string): EngineAddress {
  if (!socketPath.startsWith('/')) return invalid('the socket needs an absolute path');
  const bytes = new TextEncoder().encode(socketPath).length;
  if (bytes <= SOCKET_PATH_MAX_BYTES) return { kind: 'socket', socketPath };
  return invalid(`the path has ${bytes} bytes, and the path of a socket has at most ${SOCKET_PATH_MAX_BYTES}`);
}

function parseNetwork(scheme: 'tcp' | 'http' | 'https', rest: string): EngineAddress {
  // Parsed as http for every scheme: only then does URL check the host and the port.
  const url = URL.canParse(`http://${rest}`) ? new URL(`http://${rest}`) : undefined;
  if (url === undefined || url.hostname === '') return invalid('the host and port cannot be read');
  if (url.username !== '' || url.password !== '') return invalid('a user and a password are not supported');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') return invalid('nothing may follow the port');
  const port = /:(\d+)\/?$/.exec(rest)?.[1];
  return { kind: 'network', scheme, host: url.hostname, port: port === undefined ? null : Number(port) };
}

const TLS_PORT = 2376;

/** At which port an address is reached, and whether by TLS. `tlsVerify` asks for TLS where the address does not. */
export function networkEndpoint(
  { scheme, port }: NetworkAddress,
  { tlsVerify }: { readonly tlsVerify: boolean },
): { readonly port: number; readonly tls: boolean } {
  const tls = tlsVerify || scheme === 'https' || (scheme === 'tcp' && port === TLS_PORT);
  if (port !== null) return { port, tls };
  const [plainPort, tlsPort] = scheme === 'tcp' ? [2375, TLS_PORT] : [80, 443];
  return { port: tls ? tlsPort : plainPort, tls };
}

const invalid = (why: string): EngineAddress => ({ kind: 'invalid', why });
