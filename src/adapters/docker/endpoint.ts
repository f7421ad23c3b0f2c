/** Which engine is meant: the text of `DOCKER_HOST`, read as the Docker CLI reads it, and refused where it cannot work. */
import { ConfigurationError } from '../../domain/errors.js';
import { visible } from '../../domain/text.js';

export type EngineEndpoint =
  /** A Unix socket or a Windows named pipe. */
  | { readonly kind: 'socket'; readonly socketPath: string }
  | { readonly kind: 'network'; readonly host: string; readonly port: number; readonly tls: boolean };

const ALLOWED =
  'allowed: unix:///path/to/docker.sock, tcp://host:port, http://host:port, https://host:port, npipe:////./pipe/name';

// The kernel's limit less the closing NUL; a longer path would silently be cut and lead to another file.
const SOCKET_PATH_MAX_BYTES = process.platform === 'darwin' ? 103 : 107;

/** @throws ConfigurationError that names DOCKER_HOST, the value and what is allowed */
export function parseEndpoint(host: string, tlsVerify: boolean): EngineEndpoint {
  const text = host.trim();
  const barePath = /^(?:unix:)?(\/.*)$/.exec(text)?.[1];
  if (barePath !== undefined && !text.startsWith('unix://')) {
    throw refused(text, `a socket is written with its whole scheme: unix://${barePath}`);
  }
  // As dockerd does: an address without a scheme is TCP.
  const url = text.includes('://') ? text : `tcp://${text}`;
  const scheme = url.slice(0, url.indexOf('://')).toLowerCase();
  const rest = url.slice(scheme.length + '://'.length);
  switch (scheme) {
    case 'unix':
      return { kind: 'socket', socketPath: checkSocketPath(text, rest) };
    case 'npipe':
      return { kind: 'socket', socketPath: rest === '' ? '//./pipe/docker_engine' : rest };
    case 'tcp':
    case 'http':
    case 'https':
      return parseNetwork(text, scheme, rest, tlsVerify);
    case 'fd':
      throw refused(text, 'fd:// tells dockerd which socket to listen on; a client needs the address of that socket');
    case 'ssh':
      throw refused(
        text,
        'ssh:// would open a connection for each request; forward the socket with ssh -L and name it',
      );
    default:
      throw refused(text, `the scheme ${scheme}:// is not supported`);
  }
}

function checkSocketPath(text: string, path: string): string {
  if (!path.startsWith('/')) throw refused(text, 'the socket needs an absolute path');
  const bytes = Buffer.byteLength(path);
  if (bytes <= SOCKET_PATH_MAX_BYTES) return path;
  throw refused(text, `the path has ${bytes} bytes, a socket's path at most ${SOCKET_PATH_MAX_BYTES}`);
}

function parseNetwork(
  text: string,
  scheme: 'tcp' | 'http' | 'https',
  rest: string,
  tlsVerify: boolean,
): EngineEndpoint {
  // Parsed as http whatever the scheme: only then does URL check the host and the port. The default port is set below.
  const url = URL.canParse(`http://${rest}`) ? new URL(`http://${rest}`) : undefined;
  if (url === undefined || url.hostname === '') throw refused(text, 'it is no host and port');
  if (url.username !== '' || url.password !== '') throw refused(text, 'a user or password does not belong here');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw refused(text, 'nothing may follow the port, not even a path');
  }
  const givenPort = /:(\d+)\/?$/.exec(rest)?.[1];
  const tls = tlsVerify || scheme === 'https' || (scheme === 'tcp' && givenPort === '2376');
  const port = givenPort === undefined ? defaultPort(scheme, tls) : Number(givenPort);
  return { kind: 'network', host: url.hostname, port, tls };
}

function defaultPort(scheme: 'tcp' | 'http' | 'https', tls: boolean): number {
  if (scheme === 'tcp') return tls ? 2376 : 2375;
  return tls ? 443 : 80;
}

function refused(value: string, why: string): ConfigurationError {
  // A colon before an @ begins a password, wherever a parser might see its end.
  const hasPassword = /:.*@/s.test(value.replace(/^[^:/]*:\/\//, ''));
  const shown = hasPassword ? '(not shown)' : visible(value);
  return new ConfigurationError(`DOCKER_HOST=${shown}: ${why}; ${ALLOWED}`);
}
