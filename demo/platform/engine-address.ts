/**
 * The address of the service's engine: a socket of the demo, which leads to the real engine or, while the demo says so, to
 * an empty engine that the demo plays itself. So the engine can be replaced while the service runs, on any machine.
 */
import { readFileSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { DockerSettings } from '../../src/adapters/docker/connection.js';
import { parseEndpoint } from '../../src/adapters/docker/endpoint.js';
import type { EngineIdentity } from '../../src/engines/engine-ports.js';

export interface EngineAddress {
  /** As `DOCKER_HOST`. */
  readonly host: string;
  /** Connections from now on lead there; those that are open are closed, as when an engine ends. */
  readonly leadTo: (place: 'the engine' | 'an empty engine') => void;
  readonly close: () => Promise<void>;
}

/** What the empty engine says of itself. */
export const EMPTY_ENGINE: EngineIdentity = {
  engineId: 'EMPTY-ENGINE-OF-THE-DEMO',
  rootDir: '/srv/empty-engine',
  storageDriver: 'overlay2',
};

/** @param folder holds the socket, which only this user may use: an engine's socket is as good as root */
export async function openEngineAddress(settings: DockerSettings, folder: string): Promise<EngineAddress> {
  const socketPath = join(folder, 'engine.sock');
  const connectToEngine = connectorOf(settings);
  const emptyEngine = createHttpServer(answerAsEmptyEngine);
  const open = new Set<Socket>();
  let isReplaced = false;
  const closeAll = (): void => open.forEach((socket) => socket.destroy());

  const server = createServer((client) => {
    open.add(client);
    client.once('close', () => open.delete(client));
    if (isReplaced) emptyEngine.emit('connection', client);
    else joinConnections(client, connectToEngine());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  await chmod(socketPath, 0o600);

  return {
    host: `unix://${socketPath}`,
    leadTo: (place) => {
      isReplaced = place === 'an empty engine';
      closeAll();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        closeAll();
      }),
  };
}

/** Passes bytes on in both directions; the end of one connection is the end of the other. */
function joinConnections(client: Socket, engine: Socket): void {
  for (const [one, other] of [
    [client, engine],
    [engine, client],
  ] as const) {
    // An error closes the connection too, and 'close' follows it.
    one.on('error', () => undefined);
    one.once('close', () => other.destroy());
    one.pipe(other);
  }
}

function connectorOf(settings: DockerSettings): () => Socket {
  const endpoint = parseEndpoint(settings.host, settings);
  if (endpoint.kind === 'socket') return () => connect(endpoint.socketPath);
  const { host, port } = endpoint;
  if (!endpoint.tls) return () => connect({ host, port });
  const { certPath = '' } = settings;
  const read = (file: string): Buffer => readFileSync(join(certPath, file));
  const certificates =
    certPath.trim() === '' ? {} : { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
  return () => connectTls({ host, port, ...certificates });
}

/** An engine that has no container, as Docker says it. */
function answerAsEmptyEngine({ url = '' }: IncomingMessage, response: ServerResponse): void {
  const [path = ''] = url.replace(/^\/v\d+\.\d+/, '').split('?');
  const [status, body] = answerTo(path);
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function answerTo(path: string): readonly [status: number, body: unknown] {
  const { engineId: ID, rootDir: DockerRootDir, storageDriver: Driver } = EMPTY_ENGINE;
  const containerId = /^\/containers\/([0-9a-f]{64})/.exec(path)?.[1];
  if (containerId !== undefined) return [404, { message: `No such container: ${containerId}` }];
  switch (path) {
    case '/version':
      return [200, { Version: '20.10.24', ApiVersion: '1.41', Os: 'linux', Arch: 'amd64' }];
    case '/info':
      return [200, { ID, DockerRootDir, Driver }];
    case '/containers/json':
      return [200, []];
    default:
      return [404, { message: 'page not found' }];
  }
}
