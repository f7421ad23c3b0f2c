import { createServer, type ServerResponse } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SlowEngine {
  readonly socketPath: string;
  /** Adds stopped containers; returns their ids. */
  readonly add: (count: number) => readonly string[];
  readonly remaining: () => number;
  /** The most removals that were under way at a time. */
  readonly mostAtOnce: () => number;
  readonly close: () => Promise<void>;
}

/**
 * What a cleanup needs of an engine, with as many stopped containers as a test wants. Each removal takes a while, so that
 * a worker has all its jobs under way at a time.
 */
export async function startSlowEngine(removalMs: number): Promise<SlowEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'slow-engine-'));
  const socketPath = join(folder, 'engine.sock');
  const containers = new Set<string>();
  let [added, removing, most] = [0, 0, 0];

  function answerFor(method: string, path: string, answer: ServerResponse): void {
    const json = (status: number, body: unknown): void => {
      answer
        .writeHead(status, { 'content-type': 'application/json', server: 'Docker/27.0.0' })
        .end(JSON.stringify(body));
    };
    const id = /^\/containers\/([0-9a-f]{64})/.exec(path)?.[1] ?? '';
    if (path === '/version') json(200, { Version: '27.0.0', ApiVersion: '1.46', Os: 'linux', Arch: 'amd64' });
    else if (path === '/info') json(200, { ID: 'slow-engine', DockerRootDir: '/var/lib/docker', Driver: 'overlay2' });
    else if (!containers.has(id)) json(404, { message: `No such container: ${id}` });
    else if (method === 'GET') json(200, { Id: id, Config: { Labels: {} }, State: { Status: 'exited' } });
    else {
      removing += 1;
      most = Math.max(most, removing);
      setTimeout(() => {
        removing -= 1;
        containers.delete(id);
        answer.writeHead(204).end();
      }, removalMs);
    }
  }

  const server = createServer((request, answer) => {
    answerFor(request.method ?? '', (request.url ?? '').replace(/\?.*$/, '').replace(/^\/v1\.\d+/, ''), answer);
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    socketPath,
    add: (count) => {
      const ids = Array.from({ length: count }, () => (added += 1).toString(16).padStart(64, 'c'));
      for (const id of ids) containers.add(id);
      return ids;
    },
    remaining: () => containers.size,
    mostAtOnce: () => most,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
