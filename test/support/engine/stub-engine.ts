import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StubEngine {
  readonly dockerHost: string;
  /** The containers that were removed, in that order. */
  readonly removed: readonly string[];
  readonly stop: () => Promise<void>;
}

const IDENTITY = { ID: 'stub', DockerRootDir: '/var/lib/docker', Driver: 'overlay2' };
const VERSION = { Version: '29.0.1', ApiVersion: '1.52', MinAPIVersion: '1.44', Os: 'linux', Arch: 'amd64' };
const STOPPED = { Status: 'exited', Running: false, Paused: false, Restarting: false, Dead: false };

/** An engine over HTTP that has every container it is asked for, stopped and without labels, until it is removed. */
export async function startStubEngine(): Promise<StubEngine> {
  const removed: string[] = [];
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/^\/v[\d.]+/, '').replace(/\?.*$/, '');
    const answer = (status: number, body?: object): void => {
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(body === undefined ? '' : JSON.stringify(body));
    };
    const id = /^\/containers\/(?<id>[0-9a-f]{64})(?:\/json)?$/.exec(path)?.groups?.['id'];
    if (id !== undefined && removed.includes(id)) return answer(404, { message: `No such container: ${id}` });
    if (id !== undefined && request.method === 'DELETE') {
      removed.push(id);
      return answer(204);
    }
    if (id !== undefined) return answer(200, { Id: id, Name: '/game', Config: { Labels: {} }, State: STOPPED });
    if (path === '/containers/json') return response.writeHead(200, { 'content-type': 'application/json' }).end('[]');
    return answer(200, path === '/version' ? VERSION : IDENTITY);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    dockerHost: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    removed,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
